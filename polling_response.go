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
	ctx        *fasthttp.RequestCtx
	jsonp      []byte // the callback's number; nil when the request is no JSONP
	initial    bool   // the first of its session
	body       []byte // see makeBody
	binary     bool   // it is not text
	noCompress bool   // it is not to be compressed
	closes     bool   // it has the close packet
	packets    uint64 // how many, of the queue

	delivery *delivery // nil for a small one
}

// makeBody makes the body an empty buffer for about n bytes: the one that fasthttp keeps for the responses of the
// connection, or a larger one that is used once.
func (r *response) makeBody(n int) {
	r.body = r.ctx.Response.SwapBody(nil)[:0]
	if n > keepBody || cap(r.body) > keepBody { // another handler has left a large one there
		r.body = make([]byte, 0, n)
	}
}

// replaceBody replaces the body by what f appends for it.
func (r *response) replaceBody(f func(dst, body []byte) []byte) {
	buf := bytebuffer.Acquire()
	defer bytebuffer.Release(buf)
	buf.B = f(buf.B, r.body)
	if len(buf.B) > keepBody {
		r.body, buf.B = buf.B, nil
		return
	}
	if cap(r.body) > keepBody {
		r.makeBody(len(buf.B)) // or a small body would keep a large buffer
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
		r.replaceBody(func(dst, body []byte) []byte { return codec.AppendJSONP(dst, r.jsonp, body) })
	}
	if packer := s.srv.compressor; packer != nil && len(r.body) >= s.srv.config.CompressionThreshold {
		httpheader.AddVary(h, httpheader.AcceptEncoding)
		coding := packer.Negotiate(httpheader.Value(&r.ctx.Request.Header, httpheader.AcceptEncoding))
		if coding != compress.Identity && !r.noCompress {
			h.Set("Content-Encoding", coding.String())
			r.replaceBody(func(dst, body []byte) []byte { return packer.Append(dst, body, coding) })
		}
	}
	s.poll.countResponse(r)
	s.writeHeaders(r.ctx, r.initial)
	if cap(r.body) > keepBody {
		r.ctx.Response.SetBodyRaw(r.body) // fasthttp reads it after the handler has returned
	} else {
		r.ctx.Response.SwapBody(r.body)
	}
}

var cacheControl, noStore = []byte("Cache-Control"), []byte("no-store")

// writeHeaders sets the status and the headers that every 200 of a session has.
func (s *Session) writeHeaders(ctx *fasthttp.RequestCtx, initial bool) {
	ctx.SetStatusCode(fasthttp.StatusOK)
	ctx.Response.Header.SetCanonical(cacheControl, noStore)
	s.runOnHeaders(ctx, initial)
}

// runOnHeaders lets the application add headers, unless the session has ended.
func (s *Session) runOnHeaders(ctx *fasthttp.RequestCtx, initial bool) {
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
