package engineio

import (
	"errors"
	"fmt"

	"github.com/fasteio/engineio/internal/status"
)

var (
	// ErrClosed is returned by every send on a session that has ended, and by a Flush of what
	// was lost with it.
	ErrClosed = errors.New("engineio: session closed")

	// ErrNotOpen is returned by every send before OnConnect is due, so in OnHandshake.
	ErrNotOpen = errors.New("engineio: session is not open yet, send in OnConnect")

	// ErrQueueFull is returned by a send that would exceed Config.MaxQueuedBytes or MaxQueuedBytesTotal. The
	// message was not queued; Config.Overflow says whether the session lives on. Flush waits
	// for room.
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
	errTransport     = errors.New("transport is missing, unknown or not enabled")
	errOrigin        = errors.New("origin is not allowed")
	errSession       = errors.New("no such session")
	errRevision      = errors.New("EIO is not a revision on offer")
	errOtherEIO      = errors.New("EIO is not the session's")
	errMethod        = errors.New("method is not for this")
	errMismatch      = errors.New("transport and Upgrade header do not go together")
	errIDInUse       = errors.New("the generated session id is in use")
	errIDInvalid     = errors.New("the generated session id is not 1 to 128 characters of A-Z a-z 0-9 - _ . ~")
	errNoUpgrade     = errors.New("upgrades are disabled")
	errJSONP         = errors.New("JSONP is disabled")
	errBody          = errors.New("a body where none belongs")
	errPanic         = errors.New("a callback of the application panicked")
	errSessions      = errors.New("there are MaxSessions")
	errSessionsOfOne = errors.New("there are MaxSessionsPerIP")
	errRate          = errors.New("more than MaxHandshakeRate")
	errRateOfOne     = errors.New("more than MaxHandshakeRatePerIP")
	errTooBig        = errors.New("the body is above MaxPayload")
	errTooMany       = errors.New("the body has more than MaxPackets")
	errBrokenBody    = errors.New("the body does not come to its end")
	errTooSlow       = errors.New("the body took longer than BodyTimeout")
)

// What ended a session, as the Err of a CloseError.
var (
	errPollOverlap   = errors.New("two GET requests at once")
	errPostOverlap   = errors.New("two POST requests at once")
	errStalled       = errors.New("the client does not take its response")
	errPollAborted   = errors.New("the client aborted its poll")
	errInvalidBody   = errors.New("a binary request body in revision 4")
	errPingDirection = errors.New("a heartbeat in the wrong direction")
	errUpgraded      = errors.New("the session has left long-polling")
	errNoHandover    = errors.New("the client was gone before it had its 101")
)

// RequestError refuses a request. OnHandshake returns one to choose what the client sees; any
// other error from it is answered with 403, code 4 and the text "Forbidden", but for a *fiber.Error where the
// engine is mounted in Fiber, whose status and message are kept.
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
	// Err is what was wrong, for the log and OnRequestRefused; the client is not told. Default:
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
	if !errors.As(err, &e) {
		e = &RequestError{Code: codeForbidden, Err: err}
		e.Status, e.Message, _ = status.Of(err)
		return e.withDefaults()
	}
	if e == nil {
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
