package engineio

import (
	"errors"
	"io"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/conncheck"
)

// readBody is the body of a POST. It fails with errTooBig when that is longer than MaxPayload, whether it
// came with a length, in chunks, or as a stream, and with errTooSlow or errBrokenBody when a stream does not come
// to its end.
func readBody(ctx *fasthttp.RequestCtx, c *Config) ([]byte, error) {
	stream := ctx.RequestBodyStream()
	switch tooBig := ctx.Request.Header.ContentLength() > c.MaxPayload; {
	case tooBig && stream != nil:
		discardBody(ctx)
		return nil, errTooBig
	case tooBig:
		return nil, errTooBig // not to ask for the body: fasthttp would put a form that it has taken apart together
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

// cutOff reports whether the end of a stream was the end of the connection. fasthttp says io.EOF to both. In
// chunks nothing else tells them apart; who closes his half of a connection is gone for a poll too.
func cutOff(ctx *fasthttp.RequestCtx, body []byte, limit int) bool {
	if len(body) > limit {
		return false // we have stopped reading
	}
	if length := ctx.Request.Header.ContentLength(); length >= 0 {
		return len(body) < length
	}
	return conncheck.Gone(ctx.Conn())
}

// hasContent reports whether a request brings a streamed body with a byte in it, or one that does not come to its
// end within timeout. Some proxies send the body of a GET in chunks, of which the last and empty one is the first.
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

// discardBody gets rid of a streamed body that nobody wants, and of the connection: fasthttp would
// take what is left of it for the next request, and closing with unread bytes resets the
// connection before the client has read why. It gives up after discardMax bytes or discardTime.
func discardBody(ctx *fasthttp.RequestCtx) {
	stream := ctx.RequestBodyStream()
	if stream == nil || ctx.Request.Header.ContentLength() == 0 {
		return
	}
	ctx.SetConnectionClose()
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(discardTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(stream, discardMax))
}
