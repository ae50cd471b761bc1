package engineio

import (
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/bytebuffer"
	"github.com/fasteio/engineio/internal/compress"
	"github.com/fasteio/engineio/internal/httpheader"
)

const (
	contentText   = "text/plain; charset=UTF-8"
	contentBinary = "application/octet-stream"
	contentScript = "text/javascript; charset=UTF-8" // not the reference's text/plain: browsers do not run that under nosniff

	// keepBody is the largest body that a connection may keep for its next one.
	keepBody = 16 << 10
)

// A response is the 200 that answers a GET.
type response struct {
	ctx     *fasthttp.RequestCtx
	jsonp   []byte // the callback's number; nil when the request is no JSONP
	initial bool   // the first of its session
	body    []byte // see room
	binary  bool   // it is not text
	plain   bool   // it is not to be compressed
	last    bool   // it says the last word
	packets uint64 // how many, of the queue

	delivery *delivery // nil for a small one
}

// room makes the body a place for about n bytes: that from which fasthttp writes, which it keeps for
// the connection's next response, or a larger one that nobody keeps.
func (r *response) room(n int) {
	r.body = r.ctx.Response.SwapBody(nil)[:0]
	if n > keepBody || cap(r.body) > keepBody { // which another handler has left there
		r.body = make([]byte, 0, n)
	}
}

// become replaces the body by what f appends for it.
func (r *response) become(f func(dst, body []byte) []byte) {
	buf := bytebuffer.Acquire()
	defer bytebuffer.Release(buf)
	buf.B = f(buf.B, r.body)
	if len(buf.B) > keepBody {
		r.body, buf.B = buf.B, nil
		return
	}
	if cap(r.body) > keepBody {
		r.room(len(buf.B)) // or the little that is left would hold all that was
	}
	r.body = append(r.body[:0], buf.B...)
}

// write makes r the answer for session s.
func (r *response) write(s *Session) {
	h := &r.ctx.Response.Header
	h.SetContentType(contentText)
	if r.binary {
		h.SetContentType(contentBinary)
	}
	if r.jsonp != nil {
		h.SetContentType(contentScript)
		r.become(func(dst, body []byte) []byte { return codec.AppendJSONP(dst, r.jsonp, body) })
	}
	if packer := s.srv.packer; packer != nil && len(r.body) >= s.srv.config.CompressionThreshold {
		httpheader.AddVary(h, httpheader.AcceptEncoding)
		coding := packer.Negotiate(httpheader.Value(&r.ctx.Request.Header, httpheader.AcceptEncoding))
		if coding != compress.Identity && !r.plain {
			h.Set("Content-Encoding", coding.String())
			r.become(func(dst, body []byte) []byte { return packer.Append(dst, body, coding) })
		}
	}
	s.poll.weigh(r)
	s.finish(r.ctx, r.initial)
	if cap(r.body) > keepBody {
		r.ctx.Response.SetBodyRaw(r.body) // fasthttp reads it after we have returned
	} else {
		r.ctx.Response.SwapBody(r.body)
	}
}

var cacheControl, noStore = []byte("Cache-Control"), []byte("no-store")

// finish adds what every 200 of a session has in common.
func (s *Session) finish(ctx *fasthttp.RequestCtx, initial bool) {
	ctx.SetStatusCode(fasthttp.StatusOK)
	ctx.Response.Header.SetCanonical(cacheControl, noStore)
	s.headers(ctx, initial)
}

// headers lets the application add its own. After the end there is nobody to ask.
func (s *Session) headers(ctx *fasthttp.RequestCtx, initial bool) {
	f := s.srv.config.OnHeaders
	if f == nil || s.isClosed() {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.panicked(onHeaders, p)
		}
	}()
	f(s, ctx, initial)
}
