package engineio

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/conncheck"
)

// readBody reads the body of a POST. It fails with errTooBig when the body is longer than MaxPayload, whether it
// came with a length, in chunks, or as a stream; and when a stream does not reach its end, with errTooSlow after
// BodyTimeout and otherwise with errBrokenBody.
func readBody(ctx *fasthttp.RequestCtx, c *Config) ([]byte, error) {
	stream := ctx.RequestBodyStream()
	switch tooBig := ctx.Request.Header.ContentLength() > c.MaxPayload; {
	case tooBig && stream != nil:
		discardBody(ctx)
		return nil, errTooBig
	case tooBig:
		return nil, errTooBig // without a call of Body, for which fasthttp would assemble a form that it has parsed
	case stream == nil:
		body := ctx.Request.Body()
		if len(body) > c.MaxPayload {
			return nil, errTooBig
		}
		return body, nil
	}
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(c.BodyTimeout))
	body, err := io.ReadAll(io.LimitReader(stream, int64(c.MaxPayload)+1))
	_ = ctx.Conn().SetReadDeadline(time.Time{})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		ctx.SetConnectionClose()
		return nil, errTooSlow
	case err != nil, cutOff(ctx, body, c.MaxPayload):
		ctx.SetConnectionClose()
		return nil, errBrokenBody
	case len(body) > c.MaxPayload:
		discardBody(ctx)
		return nil, errTooBig
	}
	return body, nil
}

// cutOff reports whether a stream ended because its connection did. fasthttp reports both ends as io.EOF. A body in
// chunks has no length to compare with, so the connection is looked at; a client that has closed its half of it counts
// as gone, as it does during a poll.
func cutOff(ctx *fasthttp.RequestCtx, body []byte, limit int) bool {
	if len(body) > limit {
		return false // reading stopped before the end
	}
	if length := ctx.Request.Header.ContentLength(); length >= 0 {
		return len(body) < length
	}
	return conncheck.Gone(ctx.Conn())
}

// hasContent reports whether a request has a streamed body with at least one byte, or one that does not end within
// timeout. Some proxies send an empty body with a GET as chunks.
func hasContent(ctx *fasthttp.RequestCtx, timeout time.Duration) bool {
	stream, length := ctx.RequestBodyStream(), ctx.Request.Header.ContentLength()
	if stream == nil || length >= 0 {
		return stream != nil && length > 0
	}
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(timeout))
	var b [1]byte
	n, err := stream.Read(b[:])
	_ = ctx.Conn().SetReadDeadline(time.Time{})
	if n > 0 || err != io.EOF {
		return true
	}
	_ = ctx.Request.CloseBodyStream() // another read would take the next request for a chunk
	return false
}

// discardBody reads the rest of a streamed body that is not wanted, and has the connection closed after the answer.
// fasthttp would take unread bytes for the next request, and a connection closed with unread bytes is reset before the
// client has read the answer. It stops after discardMax bytes or discardTime.
func discardBody(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil || ctx.Request.Header.ContentLength() == 0 {
		return
	}
	ctx.SetConnectionClose()
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(discardTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(stream, discardMax))
}
