package engineio

import (
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/conncheck"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// A pendingHijack is a session that waits for its connection. fasthttp gives the connection to the hijack handler when
// the request handler has returned, ServeFastHTTP and the middlewares around it included. It never does when it cannot
// write the answers to earlier requests on the connection, or when a middleware has replaced the hijack handler. No
// goroutine would serve the session then, so a pendingHijack ends it.
//
// The response is written by the hijack handler, and not by fasthttp: fasthttp does not call the hijack handler when
// it could not write the response, or when it closes the connection after it, as with DisableKeepalive and
// MaxRequestsPerConn.
type pendingHijack struct {
	s     *Session
	conn  net.Conn      // beneath fasthttp's wrapper, which is used for another client when it was closed
	until time.Duration // of Server.now, when the session is given up

	mu    sync.Mutex
	timer *time.Timer // nil when the hijack handler was called, or never will be
}

// hijackCheckEvery is the time between two checks whether the connection is still open.
const hijackCheckEvery = 100 * time.Millisecond

type pendingHijackKey struct{}

// openAfterHijack opens the session of w on the connection of ctx when fasthttp has handed that over.
func (w *webSocket) openAfterHijack(ctx *fasthttp.RequestCtx) {
	srv := w.s.srv
	conn, _ := conncheck.PerIP(ctx.Conn())
	h := &pendingHijack{s: w.s, conn: conn, until: srv.now() + srv.config.WriteTimeout}
	h.mu.Lock() // the timer may go off before it is assigned
	h.timer = time.AfterFunc(hijackCheckEvery, h.check)
	h.mu.Unlock()
	ctx.SetUserValue(pendingHijackKey{}, h)
	w.hijack(ctx, func(hijacked net.Conn) {
		h.end()
		w.serve(hijacked)
	})
}

// end stops the checks. It reports false when they were stopped before.
func (h *pendingHijack) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer == nil {
		return false
	}
	h.timer.Stop()
	h.timer = nil
	return true
}

// check ends a session whose connection fasthttp has closed, or has not handed over within WriteTimeout.
func (h *pendingHijack) check() {
	if !conncheck.Closed(h.conn) && h.s.srv.now() < h.until && !h.s.isClosed() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.timer != nil {
			h.timer.Reset(hijackCheckEvery)
		}
		return
	}
	_ = h.Close()
}

// Close ends the session unless the hijack handler was called. fasthttp calls Close, on every value of a request that has
// it, when the hijack handler has returned or when the request has ended without one.
func (h *pendingHijack) Close() error {
	if h.end() {
		h.s.terminate(ReasonTransportClose, errNoHijack)
	}
	return nil
}

// hijack makes serve the hijack handler of ctx, and leaves it to w to write the response.
func (w *webSocket) hijack(ctx *fasthttp.RequestCtx, serve fasthttp.HijackHandler) {
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(hijacked net.Conn) {
		w.response = &ctx.Response // valid until serve has returned
		serve(hijacked)
	})
}

// checkHijacked logs once that fasthttp's hijacked connections are not what wshandshake.Kept knows.
func (srv *Server) checkHijacked(c net.Conn) {
	if !wshandshake.Known(c) {
		srv.connWarnings.hijacked.Do(func() {
			srv.config.Logger.Error("engineio: this version of fasthttp has a type of hijacked connection that the engine does not know; "+
				"use a newer engine, and no KeepHijackedConns until then", "type", fmt.Sprintf("%T", c))
		})
	}
}
