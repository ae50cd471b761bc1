package engineio

import "fmt"

// Reason says why a session ended.
type Reason uint8

const (
	// ReasonServerClose: Close, CloseNow or Disconnect.
	ReasonServerClose Reason = iota + 1
	// ReasonClientClose: the client said goodbye, by a close packet or a WebSocket close frame.
	ReasonClientClose
	// ReasonTransportClose: the connection ended without a goodbye, under a read, a write or a
	// parked poll.
	ReasonTransportClose
	// ReasonTransportError: the client broke the rules of its transport by overlapping requests,
	// invalid frames or a heartbeat in the wrong direction.
	ReasonTransportError
	// ReasonPingTimeout: the client's half of the heartbeat did not come in time.
	ReasonPingTimeout
	// ReasonParseError: a packet that is none.
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
	by   Party
}{
	ReasonServerClose:    {"server close", 1000, PartyServer},
	ReasonClientClose:    {"client close", 1000, PartyClient},
	ReasonTransportClose: {"transport close", 1000, PartyNetwork},
	ReasonTransportError: {"transport error", 1002, PartyServer},
	ReasonPingTimeout:    {"ping timeout", 1001, PartyNetwork},
	ReasonParseError:     {"parse error", 1002, PartyServer},
	ReasonTooBig:         {"message too big", 1009, PartyServer},
	ReasonSlowClient:     {"slow client", 1008, PartyServer},
	ReasonPanic:          {"panic", 1011, PartyServer},
	ReasonShutdown:       {"server shutdown", 1001, PartyServer},
	ReasonDrain:          {"server drain", 1001, PartyServer},
	ReasonStalled:        {"stalled", 1008, PartyNetwork},
}

// String is the reason in two or three lower-case words, for logs and metrics.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r].name
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// CloseCode is the WebSocket close code that the client is given for this reason.
func (r Reason) CloseCode() int {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r].code
	}
	return 1011
}

// Party is who ended it: the client on purpose, the server on purpose or for something that the client did, or
// the network, when the client was lost.
func (r Reason) Party() Party {
	if int(r) < len(reasons) {
		return reasons[r].by
	}
	return 0
}

// Party is one of those who can end a session.
type Party uint8

// The parties.
const (
	PartyServer Party = iota + 1
	PartyClient
	PartyNetwork
)

// String is the party in one word.
func (p Party) String() string {
	switch p {
	case PartyServer:
		return "server"
	case PartyClient:
		return "client"
	case PartyNetwork:
		return "network"
	}
	return fmt.Sprintf("party %d", uint8(p))
}

// owesWord tells whether a polling client with no request under way is still told. It is when
// the session ended in good order; a client that was refused or lost finds an unknown session.
func (r Reason) owesWord() bool {
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
