package engineio

import (
	"bytes"
	"io"
	"net"

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
		p.feed(format.Decode(body), ctx.Conn())
		if p.s.srv.now()-begin > slowPace {
			p.s.pingGrace.mark() // the client's next POST waits for the answer
		}
	}
	ctx.Request.ReleaseBody(keepBody)
	ctx.Response.Header.SetContentType("text/html")
	ctx.Response.SetBodyString("ok")
	p.s.finish(ctx, false)
}

// feed gives a payload's packets to the session, up to the first that is none or one too many.
func (p *polling) feed(packets codec.Decoder, from net.Conn) {
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
		p.s.receive(packet, from)
	}
}
