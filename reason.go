package engineio

import "fmt"

// Reason says why a session ended.
type Reason uint8

const (
	// ReasonServerClose: Close, CloseNow or Disconnect.
	ReasonServerClose Reason = iota + 1
	// ReasonClientClose: the client closed, by a close packet or a WebSocket close frame.
	ReasonClientClose
	// ReasonTransportClose: the connection ended without a close packet or frame, during a read, a write or a
	// parked poll.
	ReasonTransportClose
	// ReasonTransportError: the client broke the rules of its transport by overlapping requests,
	// invalid frames or a heartbeat in the wrong direction.
	ReasonTransportError
	// ReasonPingTimeout: the client's half of the heartbeat did not come in time.
	ReasonPingTimeout
	// ReasonParseError: a malformed packet.
	ReasonParseError
	// ReasonTooBig: a WebSocket message above Config.MaxPayload, or a POST with more than
	// Config.MaxPackets.
	ReasonTooBig
	// ReasonSlowClient: the queue was full, see Config.Overflow.
	ReasonSlowClient
	// ReasonPanic: a callback of this session panicked.
	ReasonPanic
	// ReasonShutdown: Server.Shutdown.
	ReasonShutdown
	// ReasonDrain: Server.Drain.
	ReasonDrain
	// ReasonStalled: the client accepted nothing of what was written to it for Config.WriteTimeout.
	ReasonStalled
)

var reasons = [...]struct {
	name string
	code int // of the WebSocket close frame, RFC 6455 section 7.4
	by   Initiator
}{
	ReasonServerClose:    {"server close", 1000, InitiatorServer},
	ReasonClientClose:    {"client close", 1000, InitiatorClient},
	ReasonTransportClose: {"transport close", 1000, InitiatorNetwork},
	ReasonTransportError: {"transport error", 1002, InitiatorServer},
	ReasonPingTimeout:    {"ping timeout", 1001, InitiatorNetwork},
	ReasonParseError:     {"parse error", 1002, InitiatorServer},
	ReasonTooBig:         {"message too big", 1009, InitiatorServer},
	ReasonSlowClient:     {"slow client", 1008, InitiatorServer},
	ReasonPanic:          {"panic", 1011, InitiatorServer},
	ReasonShutdown:       {"server shutdown", 1001, InitiatorServer},
	ReasonDrain:          {"server drain", 1001, InitiatorServer},
	ReasonStalled:        {"stalled", 1008, InitiatorNetwork},
}

// String is the reason in two or three lower-case words, for logs and metrics.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r].name
	}
	return fmt.Sprintf("Reason(%d)", uint8(r))
}

// CloseCode is the WebSocket close code that the client is given for this reason.
func (r Reason) CloseCode() int {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r].code
	}
	return 1011
}

// Initiator is the one that ended the session: the client on purpose, the server on purpose or for something that the client did, or
// the network, when the client was lost.
func (r Reason) Initiator() Initiator {
	if int(r) < len(reasons) {
		return reasons[r].by
	}
	return 0
}

// Initiator is one of those that can end a session.
type Initiator uint8

// The initiators.
const (
	InitiatorServer Initiator = iota + 1
	InitiatorClient
	InitiatorNetwork
)

// String is the initiator in one word.
func (p Initiator) String() string {
	switch p {
	case InitiatorServer:
		return "server"
	case InitiatorClient:
		return "client"
	case InitiatorNetwork:
		return "network"
	}
	return fmt.Sprintf("Initiator(%d)", uint8(p))
}

// lingers reports whether the next GET of a polling client is answered with a close packet. It is when the server or the
// client has closed the session; for a client that was lost, or broke the rules, the session is unknown.
func (r Reason) lingers() bool {
	switch r {
	case ReasonServerClose, ReasonClientClose, ReasonSlowClient, ReasonPanic, ReasonShutdown, ReasonDrain:
		return true
	}
	return false
}

// CloseError is the cause of Session.Context once the session has ended.
// errors.Is(err, ErrClosed) holds.
type CloseError struct {
	Reason Reason // why the session ended
	Err    error  // what lay behind it, may be nil
}

// Error names the reason and what lay behind it.
func (e *CloseError) Error() string {
	if e.Err == nil {
		return "engineio: " + e.Reason.String()
	}
	return "engineio: " + e.Reason.String() + ": " + e.Err.Error()
}

// Unwrap gives what lay behind the reason.
func (e *CloseError) Unwrap() error { return e.Err }

// Is makes every CloseError an ErrClosed.
func (e *CloseError) Is(target error) bool { return target == ErrClosed }
