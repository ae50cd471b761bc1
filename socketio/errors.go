package socketio

import (
	"errors"
	"fmt"

	"github.com/fasteio/engineio"
)

var (
	// ErrClosed is what every CloseError is, by errors.Is: the socket is no longer connected.
	ErrClosed = errors.New("socketio: socket closed")

	// ErrNotConnected is returned by sends in middleware, before the client knows of the socket.
	ErrNotConnected = errors.New("socketio: socket is not connected yet, send in OnConnect")

	// ErrBusy is returned by Call when so many events of the client wait that it is not read any further: its
	// answer could not come. See Config.MaxPending.
	ErrBusy = errors.New("socketio: client's events fill the queue, its answer cannot be read")

	// ErrTooManyRooms is returned by Join for a socket in Config.MaxRooms rooms.
	ErrTooManyRooms = errors.New("socketio: socket is in MaxRooms rooms")

	// ErrReserved is returned by Emit for a name that the protocol keeps: connect, connect_error, disconnect,
	// disconnecting, newListener, removeListener.
	ErrReserved = errors.New("socketio: reserved event name")

	// ErrNoAck is returned by Args.Ack when the client did not ask for an acknowledgement.
	ErrNoAck = errors.New("socketio: the event asks for no acknowledgement")
)

// Error is an error that a client is told: as the answer to an event by Handle, it is {"error": Message}. Any other
// error is told as "internal error".
type Error struct {
	Message string
}

// Error is the message.
func (e *Error) Error() string { return e.Message }

// ConnectError is an error by which a middleware refuses a socket, and which its client is told by
// connect_error. Any other error is told as "internal error".
type ConnectError struct {
	Message string
	Data    any // becomes err.data at the client; nil for none
}

// Error is the message.
func (e *ConnectError) Error() string { return e.Message }

// Reason says why a socket is no longer connected, in the words of socket.io.
type Reason uint8

// The reasons.
const (
	// ReasonClientDisconnect: the client has left the namespace.
	ReasonClientDisconnect Reason = iota + 1
	// ReasonServerDisconnect: Socket.Disconnect, or a panic in a handler.
	ReasonServerDisconnect
	// ReasonTransportClose: the client closed its connection, or the connection ended.
	ReasonTransportClose
	// ReasonTransportError: the client broke the rules of its transport, or took nothing of what was written to it.
	ReasonTransportError
	// ReasonPingTimeout: the client did not answer a heartbeat.
	ReasonPingTimeout
	// ReasonParseError: the client sent a packet that is none, or none that was due.
	ReasonParseError
	// ReasonForcedClose: the session was ended by the server, also for a client that is slow.
	ReasonForcedClose
	// ReasonShutdown: the server shuts down.
	ReasonShutdown
)

var reasons = [...]string{
	ReasonClientDisconnect: "client namespace disconnect",
	ReasonServerDisconnect: "server namespace disconnect",
	ReasonTransportClose:   "transport close",
	ReasonTransportError:   "transport error",
	ReasonPingTimeout:      "ping timeout",
	ReasonParseError:       "parse error",
	ReasonForcedClose:      "forced server close",
	ReasonShutdown:         "server shutting down",
}

// String is the reason as socket.io names it.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r]
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// reasonOf is the reason for the sockets of a session that has ended.
func reasonOf(r engineio.Reason) Reason {
	switch r {
	case engineio.ReasonClientClose, engineio.ReasonTransportClose:
		return ReasonTransportClose
	case engineio.ReasonTransportError, engineio.ReasonTooBig, engineio.ReasonStalled:
		return ReasonTransportError
	case engineio.ReasonPingTimeout:
		return ReasonPingTimeout
	case engineio.ReasonParseError:
		return ReasonParseError
	case engineio.ReasonShutdown, engineio.ReasonDrain:
		return ReasonShutdown
	}
	return ReasonForcedClose
}

// CloseError is the cause of Socket.Context once the socket is no longer connected, and the error of its sends.
// errors.Is(err, ErrClosed) holds.
type CloseError struct {
	Reason Reason
	Err    error // what lay behind it, may be nil
}

// Error names the reason and what lay behind it.
func (e *CloseError) Error() string {
	if e.Err == nil {
		return "socketio: " + e.Reason.String()
	}
	return "socketio: " + e.Reason.String() + ": " + e.Err.Error()
}

// Unwrap gives what lay behind the reason.
func (e *CloseError) Unwrap() error { return e.Err }

// Is makes every CloseError an ErrClosed.
func (e *CloseError) Is(target error) bool { return target == ErrClosed }
