package engineio

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed is returned by every send on a session that is not open, and by a Flush of what
	// was lost with it.
	ErrClosed = errors.New("engineio: session closed")

	// ErrQueueFull is returned by a send that would exceed Config.MaxQueued. The message was not
	// queued; the session lives on. Flush waits for room.
	ErrQueueFull = errors.New("engineio: send queue full")

	// ErrInvalidText is returned by a text send whose data is not valid UTF-8, or that has the
	// byte 0x1e while a revision 4 session is on long-polling, where that byte separates packets
	// and would let one message pass for two.
	ErrInvalidText = errors.New("engineio: text that the transport cannot carry")

	// ErrNotReady is returned by a volatile send to a client that cannot take it at once. The
	// message was dropped.
	ErrNotReady = errors.New("engineio: client not ready, volatile message dropped")

	// ErrTooLate is returned by SetPing after the handshake.
	ErrTooLate = errors.New("engineio: the handshake is over")

	// ErrShutdown is returned by Go after Shutdown.
	ErrShutdown = errors.New("engineio: server shut down")
)

// What was wrong with a refused request.
var (
	errTransport = errors.New("transport is missing, unknown or not enabled")
	errOrigin    = errors.New("origin is not allowed")
	errSession   = errors.New("no such session")
	errRevision  = errors.New("EIO is not a revision on offer")
	errOtherEIO  = errors.New("EIO is not the session's")
	errMethod    = errors.New("method is not for this")
	errMismatch  = errors.New("transport and Upgrade header do not go together")
	errIDInUse   = errors.New("the generated session id is in use")
	errIDInvalid = errors.New("the generated session id is not 1 to 128 characters of A-Z a-z 0-9 - _ . ~")
	errNoUpgrade = errors.New("upgrades are disabled")
	errJSONP     = errors.New("JSONP is disabled")
	errPanic     = errors.New("the application panicked")
	errTooBig    = errors.New("the body is above MaxPayload")
)

// What ended a session, as the Err of a CloseError.
var (
	errPollOverlap   = errors.New("two GET requests at once")
	errPostOverlap   = errors.New("two POST requests at once")
	errPollAborted   = errors.New("the client aborted its poll")
	errInvalidBody   = errors.New("a binary request body in revision 4")
	errPingDirection = errors.New("a heartbeat in the wrong direction")
	errUpgraded      = errors.New("the session has left long-polling")
)

// Reason says why a session ended.
type Reason uint8

const (
	// ReasonServerClose: Close, CloseNow or Disconnect.
	ReasonServerClose Reason = iota + 1
	// ReasonClientClose: the client said goodbye, by a close packet or a WebSocket close frame.
	ReasonClientClose
	// ReasonTransportClose: the WebSocket connection ended without a goodbye.
	ReasonTransportClose
	// ReasonTransportError: the client broke the rules of its transport (overlapping or aborted
	// polls, invalid frames, a heartbeat in the wrong direction), or a write failed.
	ReasonTransportError
	// ReasonPingTimeout: the client's half of the heartbeat did not come in time.
	ReasonPingTimeout
	// ReasonParseError: a packet that is none.
	ReasonParseError
	// ReasonTooBig: a WebSocket message above Config.MaxPayload.
	ReasonTooBig
	// ReasonSlowClient: the queue was full when Broadcast wanted to send, see Config.Overflow.
	ReasonSlowClient
	// ReasonPanic: a callback of this session panicked.
	ReasonPanic
	// ReasonShutdown: Server.Shutdown.
	ReasonShutdown
)

var reasons = [...]struct {
	name string
	code int // of the WebSocket close frame, RFC 6455 section 7.4
}{
	ReasonServerClose:    {"server close", 1000},
	ReasonClientClose:    {"client close", 1000},
	ReasonTransportClose: {"transport close", 1000},
	ReasonTransportError: {"transport error", 1002},
	ReasonPingTimeout:    {"ping timeout", 1001},
	ReasonParseError:     {"parse error", 1002},
	ReasonTooBig:         {"message too big", 1009},
	ReasonSlowClient:     {"slow client", 1008},
	ReasonPanic:          {"panic", 1011},
	ReasonShutdown:       {"server shutdown", 1001},
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

// owesWord tells whether a polling client with no request under way is still told. It is when
// the session ended in good order; a client that was refused or lost finds an unknown session.
func (r Reason) owesWord() bool {
	switch r {
	case ReasonServerClose, ReasonClientClose, ReasonSlowClient, ReasonPanic, ReasonShutdown:
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

// RequestError refuses a request. OnHandshake returns one to choose what the client sees; any
// other error from it is answered with 403, code 4 and the text "Forbidden".
//
// On long-polling the body is {"code":Code,"message":Message}; a WebSocket handshake gets the
// same, in place of the 101.
type RequestError struct {
	// Status is the HTTP status, 400 to 599. Default: 403 for code 4, otherwise 400.
	Status int
	// Code is Engine.IO's: 0 unknown transport, 1 unknown session, 2 bad handshake method,
	// 3 bad request, 4 forbidden, 5 unsupported protocol version. Default for a refusal by
	// OnHandshake: 4.
	Code int
	// Message is what the client's error says. Default: the code's text in the protocol.
	Message string
	// Header is added to the response, such as WWW-Authenticate or Retry-After.
	Header map[string]string
	// Err is what was wrong, for the log and OnConnectionError; the client is not told. Default:
	// the error of OnHandshake that was no RequestError.
	Err error
}

// The codes of the protocol.
const (
	codeUnknownTransport = iota
	codeUnknownSession
	codeBadMethod
	codeBadRequest
	codeForbidden
	codeUnsupportedVersion
)

var codeText = [...]string{
	codeUnknownTransport:   "Transport unknown",
	codeUnknownSession:     "Session ID unknown",
	codeBadMethod:          "Bad handshake method",
	codeBadRequest:         "Bad request",
	codeForbidden:          "Forbidden",
	codeUnsupportedVersion: "Unsupported protocol version",
}

// Error is the message with its status and code.
func (e *RequestError) Error() string {
	return fmt.Sprintf("engineio: %s (status %d, code %d)", e.Message, e.Status, e.Code)
}

// Unwrap gives Err.
func (e *RequestError) Unwrap() error { return e.Err }

func refuse(code int, err error) *RequestError { return &RequestError{Code: code, Err: err} }

// refusal turns what OnHandshake returned into an answer.
func refusal(err error) *RequestError {
	var e *RequestError
	if !errors.As(err, &e) || e == nil {
		return (&RequestError{Code: codeForbidden, Err: err}).withDefaults()
	}
	c := *e
	if c.Code == 0 {
		c.Code = codeForbidden
	}
	return c.withDefaults()
}

func (e *RequestError) withDefaults() *RequestError {
	c := *e
	if c.Status < 400 || c.Status > 599 {
		c.Status = 400
		if c.Code == codeForbidden {
			c.Status = 403
		}
	}
	if c.Message == "" && c.Code >= 0 && c.Code < len(codeText) {
		c.Message = codeText[c.Code]
	}
	return &c
}
