package client

import (
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/fasteio/engineio/codec"
)

// Reason says why a session ended. The values are those of the server's engineio.Reason of the same name.
type Reason uint8

const (
	// ReasonServerClose: the server ended the session, by a close packet or a WebSocket close frame.
	ReasonServerClose Reason = iota + 1
	// ReasonClientClose: Close or CloseNow, or the end of the context of Run.
	ReasonClientClose
	// ReasonTransportClose: the connection ended without a close packet or close frame, under a read, a write or a request, or a request
	// found no connection or got no answer in time.
	ReasonTransportClose
	// ReasonTransportError: the server refused a request, with a *ResponseError as the Err, or broke the rules of
	// HTTP or WebSocket.
	ReasonTransportError
	// ReasonPingTimeout: nothing came from the server for as long as its pingInterval and pingTimeout together.
	ReasonPingTimeout
	// ReasonParseError: a malformed packet.
	ReasonParseError
	// ReasonTooBig: a response or message above Options.ReadLimit, or one of ours that the server
	// found too big.
	ReasonTooBig
)

var reasons = [...]struct {
	name string
	by   Initiator
}{
	ReasonServerClose:    {"server close", InitiatorServer},
	ReasonClientClose:    {"client close", InitiatorClient},
	ReasonTransportClose: {"transport close", InitiatorNetwork},
	ReasonTransportError: {"transport error", InitiatorClient},
	ReasonPingTimeout:    {"ping timeout", InitiatorNetwork},
	ReasonParseError:     {"parse error", InitiatorClient},
	ReasonTooBig:         {"message too big", InitiatorClient},
}

// String is the reason in two or three lower-case words, for logs and metrics.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r].name
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// Initiator is who ended it: the server on purpose, the client on purpose or for what the server did or refused, or
// the network, when the server was lost. It is 0 for an unknown reason.
func (r Reason) Initiator() Initiator {
	if int(r) < len(reasons) {
		return reasons[r].by
	}
	return 0
}

// Initiator is one of those who can end a session. The values are those of the server's engineio.Initiator.
type Initiator uint8

// The initiators.
const (
	InitiatorServer Initiator = iota + 1
	InitiatorClient
	InitiatorNetwork
)

// String is the initiator in one word.
func (i Initiator) String() string {
	switch i {
	case InitiatorServer:
		return "server"
	case InitiatorClient:
		return "client"
	case InitiatorNetwork:
		return "network"
	}
	return fmt.Sprintf("Initiator(%d)", uint8(i))
}

// CloseError says why a session or the client ended; it is the cause of Client.Context.
// errors.Is(err, ErrClosed) holds.
type CloseError struct {
	Reason Reason // why it ended
	Err    error  // what lay behind it, may be nil
}

// Error names the reason and what lay behind it.
func (e *CloseError) Error() string {
	if e.Err == nil {
		return "client: " + e.Reason.String()
	}
	return "client: " + e.Reason.String() + ": " + e.Err.Error()
}

// Unwrap gives what lay behind the reason.
func (e *CloseError) Unwrap() error { return e.Err }

// Is makes every CloseError an ErrClosed.
func (e *CloseError) Is(target error) bool { return target == ErrClosed }

// reasonOf is why a session ends when a request, a read or a write has failed with err.
func reasonOf(err error) Reason {
	var (
		refused *ResponseError
		broken  net.Error
		parse   codec.ParseError
	)
	switch {
	case errors.Is(err, errTooLong), errors.Is(err, ErrTooBig):
		return ReasonTooBig
	case errors.As(err, &parse):
		return ReasonParseError
	case errors.As(err, &refused):
		return ReasonTransportError
	case errors.As(err, &broken), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed):
		return ReasonTransportClose
	}
	return ReasonTransportError
}

// asCloseError is the *CloseError in err, or nil.
func asCloseError(err error) *CloseError {
	var why *CloseError
	errors.As(err, &why)
	return why
}
