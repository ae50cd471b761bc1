package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// ResponseError is an HTTP response that a client cannot go on with: a refusal, by the server or by what stands in
// front of it, or the answer of what is no Engine.IO server. It is the error of a Dial, and the Err of the CloseError when
// a later request is answered so.
type ResponseError struct {
	// Status is the HTTP status of the answer.
	Status int
	// Code is Engine.IO's, such as 4 for a session that the application has forbidden; -1 if the
	// answer has none.
	Code int
	// RetryAfter is how long the server wants to be left alone, by its Retry-After header; 24 hours at
	// most, 0 if it does not say. Options.Reconnect heeds it.
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
func (e *ResponseError) Error() string {
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
func (e *ResponseError) Unwrap() error { return e.Err }

// maxMessage is how much of a response a ResponseError keeps, in bytes.
const maxMessage = 1 << 10

// parseRefusal reads the answer of a server that does not open a session: JSON with code and message from most,
// a JSON string or plain text from some. header gets a field of it.
func parseRefusal(status int, header func(name string) string, body []byte) *ResponseError {
	e := newResponseError(status, header, body)
	if status/100 == 3 {
		e.Location = header("Location")
	}
	var said struct {
		Code    json.RawMessage `json:"code"`
		Message *string         `json:"message"`
	}
	body = body[:min(len(body), maxMessage)]
	if json.Unmarshal(body, &said) == nil {
		if said.Message != nil {
			e.Message = *said.Message
		}
		_ = json.Unmarshal(bytes.Trim(said.Code, `"`), &e.Code) // some send it as a string
		return e
	}
	_ = json.Unmarshal(body, &e.Message)
	return e
}

// newResponseError is a response as it came.
func newResponseError(status int, header func(name string) string, body []byte) *ResponseError {
	body = body[:min(len(body), maxMessage)]
	return &ResponseError{
		Status: status, Code: -1, RetryAfter: retryAfter(header("Retry-After")), ContentType: header("Content-Type"),
		Message: string(bytes.ToValidUTF8(bytes.TrimSpace(body), []byte("\ufffd"))),
	}
}

// refusal is parseRefusal, and what the client makes of the response.
func (s *session) refusal(status int, header func(name string) string, body []byte) *ResponseError {
	e := parseRefusal(status, header, body)
	switch {
	case e.Location != "" && s.id != "":
		e.Err = errMoved
	case e.Code == 5 && s.id == "": // "Unsupported protocol version"
		e.Err = fmt.Errorf("%w than Options.Revision, %d", ErrRevision, s.c.o.Revision)
	}
	return e
}

// decodePayload hands the packets of a response to use, until that wants no more. If the first is malformed or not
// wanted, the error is a *ResponseError with the response.
func (s *session) decodePayload(response *fasthttp.Response, body []byte, use func(codec.Packet) (more bool, err error)) error {
	format := codec.Text4
	if s.c.o.Revision == V3 {
		format = codec.Text3
		if bytes.HasPrefix(response.Header.ContentType(), []byte(contentBinary)) {
			format = codec.Binary3
		}
	}
	var start [256]byte
	n := copy(start[:], body) // decoding overwrites them
	packets := format.Decode(body)
	for first, more := true, true; more; first = false {
		p, err := packets.Next()
		if err == io.EOF {
			return nil
		}
		if err == nil {
			more, err = use(p)
		}
		if err != nil && first {
			e := newResponseError(response.StatusCode(), fields(response), start[:n])
			if e.Err = err; s.id == "" {
				e.Err = cmp.Or(otherRevision(s.c.o.Revision, body), err)
			}
			return e
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fields gets fields of a response's header.
func fields(response *fasthttp.Response) func(name string) string {
	return func(name string) string { return string(response.Header.Peek(name)) }
}
