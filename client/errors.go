package client

import (
	"errors"
	"fmt"
	"time"
)

var (
	// ErrClosed is what errors.Is finds in the error of a send on a client that is closing or closed, of a Read
	// when all is read, and of a Flush whose messages the end has lost.
	ErrClosed = errors.New("client: closed")

	// ErrNotConnected is returned by a send between two sessions, with Reconnect.RefuseSends.
	ErrNotConnected = errors.New("client: not connected")

	// ErrTooBig is returned by a send whose message alone is more than the server's maxPayload, as the transport of
	// the moment counts it: on long-polling revision 4 has binary as base64, a third more.
	ErrTooBig = errors.New("client: message larger than the server accepts")

	// ErrRevision is what errors.Is finds in the error of a Dial, or of a session, whose server speaks another
	// revision than Options.Revision.
	ErrRevision = errors.New("client: the server speaks another revision of the protocol")

	// ErrInvalidText is returned by a send whose text is not valid UTF-8, or has the byte 0x1e while
	// revision 4 may have to carry it by long-polling, where that byte separates packets.
	ErrInvalidText = errors.New("client: text that the transport cannot carry")
)

// What lies behind the end of a session, as the Err of a CloseError.
var (
	errSilent  = errors.New("nothing from the server within pingInterval and pingTimeout")
	errTooLong = errors.New("more than Options.ReadLimit")
	errNoOpen  = errors.New("the first packet is no valid handshake")
)

// Reason says why a session ended.
type Reason uint8

const (
	// ReasonClientClose: Close or CloseNow, or the context of Run.
	ReasonClientClose Reason = iota + 1
	// ReasonServerClose: the server said goodbye, by a close packet or a WebSocket close frame.
	ReasonServerClose
	// ReasonTransportClose: the connection of a WebSocket ended without a goodbye.
	ReasonTransportClose
	// ReasonTransportError: a request failed or was refused, or the server broke the rules of WebSocket.
	ReasonTransportError
	// ReasonPingTimeout: the server was silent for longer than pingInterval and pingTimeout.
	ReasonPingTimeout
	// ReasonParseError: a packet that is none.
	ReasonParseError
	// ReasonTooBig: a response or message above Options.ReadLimit, or one of ours that the server
	// found too big.
	ReasonTooBig
)

var reasons = [...]string{
	ReasonClientClose:    "client close",
	ReasonServerClose:    "server close",
	ReasonTransportClose: "transport close",
	ReasonTransportError: "transport error",
	ReasonPingTimeout:    "ping timeout",
	ReasonParseError:     "parse error",
	ReasonTooBig:         "message too big",
}

// String is the reason in two or three lower-case words, for logs and metrics.
func (r Reason) String() string {
	if int(r) < len(reasons) && r > 0 {
		return reasons[r]
	}
	return fmt.Sprintf("reason %d", uint8(r))
}

// CloseError says why a session or the client ended; it is the cause of Client.Context.
// errors.Is(err, ErrClosed) holds.
type CloseError struct {
	Reason Reason // what ended it
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

// HandshakeError is a server's refusal to open a session, or an answer of what is no Engine.IO server. It is also
// the Err of the CloseError when a later request is answered so.
type HandshakeError struct {
	// Status is the HTTP status of the answer.
	Status int
	// Code is Engine.IO's, such as 4 for a session that the application has forbidden; -1 if the
	// answer has none.
	Code int
	// RetryAfter is how long the server wants to be left alone, by its Retry-After header; 24 hours at
	// most, 0 if it does not say. Reconnect heeds it.
	RetryAfter time.Duration
	// Message is what the answer says, in its first kilobyte. It comes from the server: do not trust it, nor
	// the next two.
	Message string
	// ContentType is the answer's Content-Type.
	ContentType string
	// Location is where the answer redirects to, if the client has not followed; see Options.
	Location string
	// Err is what the client makes of the answer: why it does not follow Location, or what is wrong with an answer of
	// status 200. ErrRevision can be in it. Nil for a plain refusal.
	Err error
}

// Error says what the answer was, and what is wrong with it.
func (e *HandshakeError) Error() string {
	text := "client: server refused: "
	switch {
	case e.Location != "":
		text = fmt.Sprintf("client: redirect to %.300q not followed (status %d)", e.Location, e.Status)
	case e.Code >= 0:
		text += fmt.Sprintf("%.1000q (status %d, code %d)", e.Message, e.Status, e.Code)
	case e.Status/100 == 2:
		text = "client: this is no answer of an Engine.IO server: "
		fallthrough
	default:
		text += fmt.Sprintf("%.200q (status %d, content type %.100q)", e.Message, e.Status, e.ContentType)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives what the client makes of the answer.
func (e *HandshakeError) Unwrap() error { return e.Err }
