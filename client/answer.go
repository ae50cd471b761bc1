package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// maxAnswer is how much of an answer a HandshakeError keeps, in bytes.
const maxAnswer = 1 << 10

// refused reads the answer of a server that does not open a session: JSON with code and message from most,
// a JSON string or plain text from some. header gets a field of it.
func refused(status int, header func(name string) string, body []byte) *HandshakeError {
	e := unexpected(status, header, body)
	if status/100 == 3 {
		e.Location = header("Location")
	}
	var said struct {
		Code    json.RawMessage `json:"code"`
		Message *string         `json:"message"`
	}
	body = body[:min(len(body), maxAnswer)]
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

// unexpected is an answer as it came.
func unexpected(status int, header func(name string) string, body []byte) *HandshakeError {
	body = body[:min(len(body), maxAnswer)]
	return &HandshakeError{
		Status: status, Code: -1, RetryAfter: retryAfter(header("Retry-After")), ContentType: header("Content-Type"),
		Message: string(bytes.ToValidUTF8(bytes.TrimSpace(body), []byte("\ufffd"))),
	}
}

// refused is refused with what the client makes of it.
func (s *session) refused(status int, header func(name string) string, body []byte) *HandshakeError {
	e := refused(status, header, body)
	switch {
	case e.Location != "" && s.id != "":
		e.Err = errMoved
	case e.Code == 5 && s.id == "": // "Unsupported protocol version"
		e.Err = fmt.Errorf("%w than Options.Revision, %d", ErrRevision, s.c.o.Revision)
	}
	return e
}

// payload hands the packets of a response to use, until that wants no more, and tells what has come instead of
// the first.
func (s *session) payload(response *fasthttp.Response, body []byte, use func(codec.Packet) (more bool, err error)) error {
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
			e := unexpected(response.StatusCode(), fields(response), start[:n])
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
