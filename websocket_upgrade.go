package engineio

import (
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// serveProbe serves a WebSocket that wants to take over a polling session.
func (w *webSocket) serveProbe(hijacked net.Conn) { w.takeConn(hijacked, (*webSocket).takeOver) }

// takeOver waits for the end of the probe, and then serves the session.
func (w *webSocket) takeOver() bool {
	_ = w.conn.SetReadDeadline(time.Now().Add(w.s.srv.config.UpgradeTimeout))
	if w.isInterrupted() || !w.probe() {
		w.s.cancelUpgrade(w)
		w.reject("upgrade failed")
		return false
	}
	w.sendWaiting(tlsRecordSize)
	w.s.out.cork()
	w.s.runOnUpgrade()
	w.uncork()
	return w.releaseIfSlow() || w.read()
}

// interrupt ends a probe, even one that is blocked in a write. The session has ended.
func (w *webSocket) interrupt() {
	w.mu.Lock()
	w.interrupted = true
	if w.conn != nil {
		_ = w.conn.SetReadDeadline(expiredDeadline)
	}
	w.mu.Unlock()
	w.shortenDeadline()
}

func (w *webSocket) isInterrupted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.interrupted
}

// probe answers the client's probe and waits for its upgrade packet. It reports whether the session is on this WebSocket
// now.
func (w *webSocket) probe() bool {
	for {
		op, payload, err := w.reader.Next()
		if err != nil {
			return false
		}
		switch op {
		case ws.Ping:
			err = w.write(append(ws.AppendHeader(nil, ws.Pong, len(payload)), payload...))
		case ws.Text, ws.Binary:
			var p codec.Packet
			p, err = w.s.revision.DecodeMessage(op == ws.Binary, payload)
			switch {
			case err != nil:
			case isProbe(p):
				err = w.write(appendFrame(nil, w.s.revision, false, codec.Packet{Type: codec.Pong, Data: p.Data}))
				w.s.probe(w)
			case p.Type == codec.Upgrade:
				_ = w.conn.SetReadDeadline(time.Time{}) // before the session's end may set one
				return w.s.completeUpgrade(w)
			default:
				return false
			}
		case ws.Close:
			return false
		}
		if err != nil {
			return false
		}
	}
}

// upgrade starts the probe of a polling session by a WebSocket.
func (srv *Server) upgrade(ctx *fasthttp.RequestCtx, r request) {
	if err := checkUpgrade(ctx); err != nil {
		srv.refuse(ctx, err)
		return
	}
	if !srv.mayUpgrade(Polling) {
		srv.refuse(ctx, refuse(CodeBadRequest, errNoUpgrade))
		return
	}
	w := newWebSocket(r.session)
	w.http = r.http
	w.base64 = r.base64 // as in the reference, it counts for the transport that asks for it
	w.accept(ctx, false)
	w.hijack(ctx, w.serveUpgrade)
}

// serveUpgrade serves a WebSocket for a session on long-polling. The upgrade begins here, and not with the request, so that
// it is never begun without a connection.
func (w *webSocket) serveUpgrade(hijacked net.Conn) {
	if w.s.beginUpgrade(w) {
		w.serveProbe(hijacked)
	} else {
		w.serveRefused(hijacked)
	}
}

// serveRefused closes a WebSocket for a session that is on another one, or has a probe under way. It is accepted
// first, as the reference does and its clients expect.
func (w *webSocket) serveRefused(hijacked net.Conn) {
	w.takeConn(hijacked, func(*webSocket) bool {
		w.reject("session has a WebSocket")
		return false
	})
}

// reject closes a WebSocket that does not get the session.
func (w *webSocket) reject(why string) {
	_ = w.write(ws.AppendClose(nil, ReasonTransportError.CloseCode(), why))
	w.discardInput()
}
