package engineio

import (
	"bytes"
	"errors"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// isUpgrade reports whether a request is one for a WebSocket, as far as transport t tells: an Upgrade header
// that does not count is no reason to refuse a poll, but what is wrong with a handshake is for checkUpgrade to say.
func isUpgrade(ctx *fasthttp.RequestCtx, t Transport) bool {
	h := &ctx.Request.Header
	if t == WebSocket {
		return httpheader.HasToken(httpheader.Value(h, httpheader.Upgrade), "websocket")
	}
	return httpheader.AsksFor(h, "websocket")
}

// checkUpgrade tells what is wrong with a WebSocket handshake.
func checkUpgrade(ctx *fasthttp.RequestCtx) *RequestError {
	var e *wshandshake.HandshakeError
	err := wshandshake.CheckUpgrade(ctx)
	if errors.As(err, &e) {
		return &RequestError{Status: e.Status, Code: codeBadRequest, Message: e.Reason, Err: err}
	}
	return nil
}

// openWebSocket opens a session once its connection is ours. It can be found from here on: Shutdown and Drain
// do not wait for a connection that may never come.
func (srv *Server) openWebSocket(ctx *fasthttp.RequestCtx, s *Session) {
	switch {
	case !srv.add(s):
		s.terminate(ReasonServerClose, errIDInUse)
		srv.refuse(ctx, refuse(codeBadRequest, errIDInUse))
		return
	case srv.draining.Load():
		s.close(ReasonDrain) // unless add or Shutdown has done so
		srv.refuse(ctx, errDraining())
		return
	}
	srv.setCookie(ctx, s)
	w := newWebSocket(s)
	w.accept(ctx, true)
	w.handOver(ctx)
}

// accept makes the response a 101.
func (w *webSocket) accept(ctx *fasthttp.RequestCtx, initial bool) {
	extensions := ""
	if w.s.srv.config.PerMessageDeflate {
		extensions = wshandshake.NegotiateDeflate(ctx)
	}
	w.deflate = extensions != ""
	wshandshake.Accept(ctx, extensions)
	w.s.headers(ctx, initial)
}

// greet writes the response, which is a 101 unless what stands around Serve has made another of it: then the
// connection ends with that. It reports whether the client has its 101.
func (w *webSocket) greet() bool {
	r := w.response
	w.response = nil
	switch {
	case r == nil: // it was written before
		return true
	case r.StatusCode() == fasthttp.StatusSwitchingProtocols:
		wshandshake.KeepOpen(r)
		return w.write(r.Header.Header()) == nil
	}
	w.s.cancelUpgrade(w) // before the client knows, who may try again
	r.SetConnectionClose()
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err == nil {
		_ = w.write(b.Bytes())
	}
	return false
}
