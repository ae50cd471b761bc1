package engineio

import (
	"bytes"
	"io"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/conncheck"
)

// servePost receives the packets of one payload. What is sent in answer to them is written together.
func (p *polling) servePost(ctx *fasthttp.RequestCtx, jsonp bool) {
	if !p.post.TryLock() {
		p.s.terminate(ReasonTransportError, errPostOverlap)
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusBadRequest, errPostOverlap)
		return
	}
	defer p.post.Unlock()
	if p.s.isClosed() {
		p.s.srv.refuse(ctx, refuse(CodeUnknownSession, ErrClosed)) // the session is kept for the client's last GET only
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
	body, err := readBody(ctx, &p.s.srv.config)
	if err == nil && jsonp {
		body, err = codec.DecodeJSONP(body)
	}
	switch {
	case err == errTooSlow:
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusRequestTimeout, err)
		return
	case err == errBrokenBody:
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusBadRequest, err)
		return
	case err == errTooBig:
		p.s.srv.refuseEmpty(ctx, fasthttp.StatusRequestEntityTooLarge, err)
		return
	case err != nil:
		p.s.terminate(ReasonParseError, err)
	default:
		begin := p.s.srv.now()
		var alive func() bool
		if p.s.rate != nil {
			conn := ctx.Conn()
			alive = func() bool { return !conncheck.Gone(conn) }
		}
		p.receive(format.Decode(body), alive)
		if p.s.srv.now()-begin > slowAfter {
			p.s.pingGrace.mark() // the client's next POST waits for the answer
		}
	}
	ctx.Request.ReleaseBody(keepBody)
	ctx.Response.Header.SetContentType("text/html")
	ctx.Response.SetBodyString("ok")
	p.s.writeHeaders(ctx, false)
}

// receive hands the packets of a payload to the session. It ends the session at the first malformed packet, and when
// there are more than MaxPackets.
func (p *polling) receive(packets codec.Decoder, alive func() bool) {
	p.s.out.cork()
	defer p.s.uncork()
	for n := 0; !p.s.over.Load(); n++ {
		packet, err := packets.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			p.s.terminate(ReasonParseError, err)
			return
		}
		if n == p.s.srv.config.MaxPackets {
			p.s.terminate(ReasonTooBig, errTooMany)
			return
		}
		p.s.receive(packet, alive)
	}
}
