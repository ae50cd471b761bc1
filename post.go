package engineio

import (
	"bytes"
	"io"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// servePost takes the packets of one payload. Their answers leave together.
func (p *polling) servePost(ctx *fasthttp.RequestCtx, jsonp bool) {
	if !p.post.TryLock() {
		p.s.terminate(ReasonTransportError, errPostOverlap)
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusBadRequest, errPostOverlap)
		return
	}
	defer p.post.Unlock()
	if p.s.isClosed() {
		p.s.srv.refuse(ctx, refuse(codeUnknownSession, ErrClosed)) // only its last GET is still waited for
		return
	}
	format := textFormat(p.s.revision)
	if bytes.HasPrefix(ctx.Request.Header.ContentType(), []byte(contentBinary)) {
		if format == codec.Text4 {
			p.s.terminate(ReasonTransportError, errInvalidBody)
			p.s.srv.refuseEmpty(ctx, fasthttp.StatusBadRequest, errInvalidBody)
			return
		}
		format = codec.Binary3
	}
	body, ok := readBody(ctx, p.s.srv.config.MaxPayload)
	if !ok {
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusRequestEntityTooLarge, errTooBig)
		return
	}
	var err error
	if jsonp {
		body, err = codec.DecodeJSONP(body)
	}
	if err != nil {
		p.s.terminate(ReasonParseError, err)
	} else {
		p.feed(format.Decode(body))
	}
	ctx.Request.ReleaseBody(keepBody)
	ctx.Response.Header.SetContentType("text/html")
	ctx.Response.SetBodyString("ok")
	p.s.finish(ctx, false)
}

// feed gives a payload's packets to the session, up to the first that is none.
func (p *polling) feed(packets codec.Decoder) {
	p.s.out.cork()
	defer p.s.uncork()
	for !p.s.over.Load() {
		packet, err := packets.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			p.s.terminate(ReasonParseError, err)
			return
		}
		p.s.receive(packet)
	}
}

// readBody is the body of a POST. It fails when that is longer than limit, whether it came with
// a length, in chunks, or as a stream.
func readBody(ctx *fasthttp.RequestCtx, limit int) ([]byte, bool) {
	stream := ctx.RequestBodyStream()
	if stream == nil {
		body := ctx.Request.Body()
		return body, len(body) <= limit
	}
	if ctx.Request.Header.ContentLength() > limit {
		discardBody(ctx, stream)
		return nil, false
	}
	body, err := io.ReadAll(io.LimitReader(stream, int64(limit)+1))
	if err != nil || len(body) > limit {
		discardBody(ctx, stream)
		return nil, false
	}
	return body, true
}

// discardBody gets rid of a streamed body that nobody wants, and of the connection: fasthttp would
// take what is left of it for the next request, and closing with unread bytes resets the
// connection before the client has read why. It gives up after discardMax bytes or discardTime.
func discardBody(ctx *fasthttp.RequestCtx, stream io.Reader) {
	ctx.SetConnectionClose()
	_ = ctx.Conn().SetReadDeadline(time.Now().Add(discardTime))
	_, _ = io.Copy(io.Discard, io.LimitReader(stream, discardMax))
}
