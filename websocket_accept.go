package engineio

import (
	"bytes"
	"errors"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// isUpgrade reports whether a request asks for a WebSocket. With transport websocket an Upgrade header alone says so, and
// checkUpgrade finds what else is wrong; with polling the request must be one that HTTP takes for an upgrade, since an
// Upgrade header without effect is no reason to refuse a poll.
func isUpgrade(ctx *fasthttp.RequestCtx, t Transport) bool {
	h := &ctx.Request.Header
	if t == WebSocket {
		return httpheader.HasToken(httpheader.Value(h, httpheader.Upgrade), "websocket")
	}
	return httpheader.AsksFor(h, "websocket")
}

// checkUpgrade returns what is wrong with a WebSocket handshake, nil for nothing.
func checkUpgrade(ctx *fasthttp.RequestCtx) *RequestError {
	var e *wshandshake.HandshakeError
	err := wshandshake.CheckUpgrade(ctx)
	if errors.As(err, &e) {
		return &RequestError{Status: e.Status, Code: CodeBadRequest, Message: e.Reason, Err: err}
	}
	return nil
}

// openWebSocket answers a WebSocket handshake, and has the session opened when fasthttp has handed over the connection.
// The session can be found by its id from here on, so that Shutdown and Drain end it without waiting for a connection
// that may never come.
func (srv *Server) openWebSocket(ctx *fasthttp.RequestCtx, s *Session) {
	switch {
	case !srv.add(s):
		s.terminate(ReasonServerClose, errIDInUse)
		srv.refuse(ctx, refuse(CodeBadRequest, errIDInUse))
		return
	case srv.draining.Load(), s.http.Load().isEnding():
		s.close(ReasonDrain) // unless add or Shutdown has done so
		srv.refuse(ctx, errDraining())
		return
	}
	srv.setCookie(ctx, s)
	w := newWebSocket(s)
	w.accept(ctx, true)
	w.openAfterHijack(ctx)
}

// accept makes the response a 101. initial says that it opens the session.
func (w *webSocket) accept(ctx *fasthttp.RequestCtx, initial bool) {
	extensions := ""
	if w.s.srv.config.PerMessageDeflate {
		extensions = wshandshake.NegotiateDeflate(ctx)
	}
	w.deflate = extensions != ""
	wshandshake.Accept(ctx, extensions)
	w.s.runOnHeaders(ctx, initial)
}

// writeResponse writes the response to the upgrade request. It is the 101, unless a middleware has replaced it; then the
// connection ends with that response. It reports whether the client got a 101.
func (w *webSocket) writeResponse() bool {
	r := w.response
	w.response = nil
	switch {
	case r == nil: // it is written
		return true
	case r.StatusCode() == fasthttp.StatusSwitchingProtocols:
		wshandshake.KeepOpen(r)
		return w.write(r.Header.Header()) == nil
	}
	w.s.cancelUpgrade(w) // before the client gets the response, as it may try again at once
	r.SetConnectionClose()
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err == nil {
		_ = w.write(b.Bytes())
	}
	return false
}
