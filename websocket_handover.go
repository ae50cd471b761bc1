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

// A handover is a session that waits for its connection. fasthttp gives it to the hijack handler when Serve, and whatever
// stands around it, has returned. It never does where the answers to requests that came before on the connection cannot be
// written, or where somebody around us takes the hijack back. Nobody would hold the session then, so it ends.
//
// We write the response ourselves, in the hijack handler: fasthttp does not call the handler of one that it could
// not write, or after which it closes the connection, as with DisableKeepalive and MaxRequestsPerConn.
type handover struct {
	s     *Session
	conn  net.Conn      // not the wrapper of fasthttp's, which is another client's when it was closed
	until time.Duration // of Server.now

	mu    sync.Mutex
	timer *time.Timer // nil when the handover has ended
}

// handoverCheckEvery is the time between two looks at the connection of a handover.
const handoverCheckEvery = 100 * time.Millisecond

type handoverKey struct{}

// handOver has w serve the connection of ctx, on which its session is to open.
func (w *webSocket) handOver(ctx *fasthttp.RequestCtx) {
	srv := w.s.srv
	conn, _ := conncheck.PerIP(ctx.Conn())
	h := &handover{s: w.s, conn: conn, until: srv.now() + srv.config.WriteTimeout}
	h.mu.Lock() // the timer may go off before it is assigned
	h.timer = time.AfterFunc(handoverCheckEvery, h.check)
	h.mu.Unlock()
	ctx.SetUserValue(handoverKey{}, h)
	w.hijack(ctx, func(hijacked net.Conn) {
		h.end()
		w.serve(hijacked)
	})
}

// end ends the handover, and reports whether it was under way.
func (h *handover) end() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.timer == nil {
		return false
	}
	h.timer.Stop()
	h.timer = nil
	return true
}

// check ends a session whose connection fasthttp has closed, or has not handed over in time.
func (h *handover) check() {
	if !conncheck.Closed(h.conn) && h.s.srv.now() < h.until && !h.s.isClosed() {
		h.mu.Lock()
		defer h.mu.Unlock()
		if h.timer != nil {
			h.timer.Reset(handoverCheckEvery)
		}
		return
	}
	_ = h.Close()
}

// Close ends the session unless the hijack handler has it. fasthttp calls it, as a value of the request, when that has
// returned, or when the request has ended without.
func (h *handover) Close() error {
	if h.end() {
		h.s.terminate(ReasonTransportClose, errNoHandover)
	}
	return nil
}

// hijack has serve get the connection of ctx, and w write its response first.
func (w *webSocket) hijack(ctx *fasthttp.RequestCtx, serve fasthttp.HijackHandler) {
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(hijacked net.Conn) {
		w.response = &ctx.Response // which is ours until serve has returned
		serve(hijacked)
	})
}

// checkHijacked says once that fasthttp's hijacked connections are not what wshandshake.Kept knows.
func (srv *Server) checkHijacked(c net.Conn) {
	if !wshandshake.Known(c) {
		srv.sight.hijacked.Do(func() {
			srv.config.Logger.Error("engineio: this version of fasthttp has a type of hijacked connection that the engine does not know; "+
				"use a newer engine, and no KeepHijackedConns until then", "type", fmt.Sprintf("%T", c))
		})
	}
}
