package engineio

import (
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/compress"
)

const (
	contentText   = "text/plain; charset=UTF-8"
	contentBinary = "application/octet-stream"

	// keepBody is the largest body that a connection may keep for its next one.
	keepBody = 16 << 10
)

// A response is the 200 that answers a GET.
type response struct {
	ctx     *fasthttp.RequestCtx
	jsonp   []byte        // the callback's number; nil when the request is no JSONP
	initial bool          // the first of its session
	body    *codec.Buffer // the payload, given to write
	binary  bool          // it is not text
	plain   bool          // it is not to be compressed
}

// become replaces the body.
func (r *response) become(body *codec.Buffer) {
	codec.ReleaseBuffer(r.body)
	r.body = body
}

// write makes r the answer for session s.
func (r response) write(s *Session) {
	h := &r.ctx.Response.Header
	h.SetContentType(contentText)
	if r.binary {
		h.SetContentType(contentBinary)
	}
	if r.jsonp != nil {
		script := codec.AcquireBuffer()
		script.B = codec.AppendJSONP(script.B, r.jsonp, r.body.B)
		r.become(script)
	}
	if packer := s.srv.packer; packer != nil && len(r.body.B) >= s.srv.config.CompressionThreshold {
		addVary(h, "Accept-Encoding")
		coding := packer.Negotiate(r.ctx.Request.Header.Peek("Accept-Encoding"))
		if coding != compress.Identity && !r.plain {
			h.Set("Content-Encoding", coding.String())
			packed := codec.AcquireBuffer()
			packed.B = packer.Append(packed.B, r.body.B, coding)
			r.become(packed)
		}
	}
	s.finish(r.ctx, r.initial)
	if len(r.body.B) > keepBody {
		r.ctx.Response.SetBodyRaw(r.body.B)
		r.body.B = nil // fasthttp reads it after we have returned
	} else {
		r.ctx.Response.SetBody(r.body.B)
	}
	codec.ReleaseBuffer(r.body)
}

var cacheControl, noStore = []byte("Cache-Control"), []byte("no-store")

// finish adds what every 200 of a session has in common.
func (s *Session) finish(ctx *fasthttp.RequestCtx, initial bool) {
	ctx.SetStatusCode(fasthttp.StatusOK)
	ctx.Response.Header.SetCanonical(cacheControl, noStore)
	s.headers(ctx, initial)
}

// headers lets the application add its own.
func (s *Session) headers(ctx *fasthttp.RequestCtx, initial bool) {
	f := s.srv.config.OnHeaders
	if f == nil {
		return
	}
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
		}
	}()
	f(s, ctx, initial)
}
