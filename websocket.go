package engineio

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// past is a deadline that ends a pending read or write at once.
var past = time.Unix(1, 0)

// webSocket carries a session over one hijacked connection.
//
// The connection belongs to the hijack goroutine, which reads. Whoever has claimed the outbox
// writes: the reader for what its callbacks sent, otherwise a goroutine that ends when the queue
// is empty. Everybody else sets deadlines, under mu. The hijack goroutine leaves last: fasthttp
// gives the connection's wrapper to another client when it returns.
type webSocket struct {
	s       *Session
	flush   func() // drain; kept because a method value allocates
	deflate bool   // permessage-deflate was agreed on

	broken bool // a write has failed; guarded by the claim

	mu     sync.Mutex
	conn   net.Conn // nil before the hijack and after leave
	ending bool     // interrupt came before the hijack
}

func newWebSocket(s *Session) *webSocket {
	w := &webSocket{s: s}
	w.flush = w.drain
	return w
}

// isUpgrade tells whether the client asks for a WebSocket, rightly or not.
func isUpgrade(ctx *fasthttp.RequestCtx) bool {
	for _, token := range bytes.Split(ctx.Request.Header.Peek("Upgrade"), []byte(",")) {
		if bytes.EqualFold(bytes.TrimSpace(token), []byte("websocket")) {
			return true
		}
	}
	return false
}

// checkUpgrade tells what is wrong with a WebSocket handshake.
func checkUpgrade(ctx *fasthttp.RequestCtx) *RequestError {
	var e *ws.HandshakeError
	err := ws.CheckUpgrade(ctx)
	if errors.As(err, &e) {
		return &RequestError{Status: e.Status, Code: codeBadRequest, Message: e.Reason, Err: err}
	}
	return nil
}

// upgrade starts the probe of a polling session by a WebSocket.
func (srv *Server) upgrade(ctx *fasthttp.RequestCtx, r request) {
	if err := checkUpgrade(ctx); err != nil {
		srv.refuse(ctx, err)
		return
	}
	if !srv.mayUpgrade(Polling) {
		srv.refuse(ctx, refuse(codeBadRequest, errNoUpgrade))
		return
	}
	w := newWebSocket(r.session)
	w.accept(ctx, false)
	if r.session.beginUpgrade(w) {
		ctx.Hijack(w.serveProbe)
	} else {
		ctx.Hijack(w.serveRefused)
	}
}

// accept makes the response a 101.
func (w *webSocket) accept(ctx *fasthttp.RequestCtx, initial bool) {
	extensions := ""
	if w.s.srv.config.PerMessageDeflate {
		extensions = ws.NegotiateDeflate(ctx)
	}
	w.deflate = extensions != ""
	ws.Accept(ctx, extensions)
	if f := w.s.srv.config.OnHeaders; f != nil {
		f(w.s, ctx, initial)
	}
}

// serveRefused closes a WebSocket for a session that has one, or is getting one. It is accepted
// first, as the reference does and its clients expect.
func (w *webSocket) serveRefused(hijacked net.Conn) {
	w.own(hijacked, func(*ws.Reader) { w.refuse("session has a WebSocket") })
}

// refuse closes a WebSocket that does not get the session.
func (w *webSocket) refuse(why string) {
	_ = w.write(ws.AppendClose(nil, ReasonTransportError.CloseCode(), why))
	w.discard()
}

// openDelay is how long a WebSocket of revision 3 is silent after the 101. Scripts of that time wait
// for the open event and attach their message handler then, and Node gives them no chance when
// both arrive in one read: the official suite lost the handshake in one run of six.
const openDelay = 5 * time.Millisecond

// serve is the life of a session that was opened by WebSocket.
func (w *webSocket) serve(hijacked net.Conn) {
	w.own(hijacked, func(r *ws.Reader) {
		if w.s.revision == V3 {
			time.Sleep(openDelay)
		}
		w.s.out.cork()
		w.s.out.deflates.Store(w.deflate)
		open := w.s.connect(w)
		w.uncork()
		if !open {
			w.refuse("session has ended")
			return
		}
		w.read(r)
	})
}

// serveProbe is the life of a WebSocket that wants to take over a polling session.
func (w *webSocket) serveProbe(hijacked net.Conn) {
	w.own(hijacked, func(r *ws.Reader) {
		defer w.s.cancelUpgrade(w)
		_ = w.conn.SetReadDeadline(time.Now().Add(w.s.srv.config.UpgradeTimeout))
		if w.isEnding() || !w.probe(r) {
			w.refuse("upgrade failed")
			return
		}
		if w.s.out.claim(w) {
			w.drain()
		}
		w.s.out.cork()
		w.s.upgraded()
		w.uncork()
		w.read(r)
	})
}

// own is what the hijack goroutine does before and after life.
func (w *webSocket) own(hijacked net.Conn, life func(*ws.Reader)) {
	srv := w.s.srv
	srv.busy.add()
	defer srv.busy.done()

	raw := ws.Raw(hijacked)
	w.mu.Lock()
	w.conn = raw
	w.mu.Unlock()
	r := ws.NewReader(raw, ws.Early(hijacked), srv.config.MaxPayload)
	if w.deflate {
		r.AcceptDeflated()
	}
	defer r.Release()
	defer w.leave()
	defer srv.recovered("a WebSocket") // our own, callbacks are recovered one by one
	life(r)
}

// leave ends every use of the connection. A session that it still carries has ended by now, unless
// we panicked, and its last word is on its way.
func (w *webSocket) leave() {
	if w.s.out.holds(w) {
		w.s.terminate(ReasonTransportClose, nil)
	}
	w.s.out.drop(w)
	w.mu.Lock()
	w.conn = nil
	w.mu.Unlock()
}

// interrupt ends a probe.
func (w *webSocket) interrupt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ending = true
	if w.conn != nil {
		_ = w.conn.SetReadDeadline(past)
	}
}

func (w *webSocket) isEnding() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.ending
}

// probe plays the upgrade up to the moment when the session is ours, or reports that it is not
// going to be.
func (w *webSocket) probe(r *ws.Reader) bool {
	for {
		op, payload, err := r.Next()
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
				w.s.probe()
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

// read is the reader: it gives what comes in to the session until the connection or the session
// ends. The answers to all that came in together leave together.
func (w *webSocket) read(r *ws.Reader) {
	for {
		op, payload, err := r.Next()
		w.s.out.cork()
		more := err == nil && w.receive(op, payload)
		for more && r.Buffered() {
			op, payload, err = r.Next()
			more = err == nil && w.receive(op, payload)
		}
		if err != nil {
			w.fail(err)
		}
		w.uncork()
		if !more {
			var broken *ws.Error
			if errors.As(err, &broken) {
				w.discard()
			}
			return
		}
	}
}

// receive acts on one message or control frame; false ends the reading.
func (w *webSocket) receive(op ws.Op, payload []byte) bool {
	switch op {
	case ws.Ping:
		w.s.out.pushPong(payload)
	case ws.Text, ws.Binary:
		if w.s.over.Load() {
			return true // we have said our last word and wait for the client's
		}
		p, err := w.s.revision.DecodeMessage(op == ws.Binary, payload)
		if err != nil {
			w.s.terminate(ReasonParseError, err)
			return true
		}
		w.s.receive(p)
	case ws.Close:
		w.s.terminate(ReasonClientClose, nil)
		return false
	}
	return true
}

// fail ends the session for what a read reported.
func (w *webSocket) fail(err error) {
	var broken *ws.Error
	switch {
	case errors.As(err, &broken) && broken.Code == codeTooBig:
		w.s.terminate(ReasonTooBig, err)
	case errors.As(err, &broken):
		w.s.terminate(ReasonTransportError, err)
	case errors.Is(err, io.EOF):
		w.s.terminate(ReasonTransportClose, nil)
	default:
		w.s.terminate(ReasonTransportClose, err)
	}
}

// wake starts a drain unless one runs. One that runs for a session which has ended may be stuck
// with a client that does not read, and is given CloseTimeout to come through.
func (w *webSocket) wake() {
	if w.s.out.claim(w) {
		go w.flush()
		return
	}
	if w.s.over.Load() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.conn != nil {
			_ = w.conn.SetWriteDeadline(time.Now().Add(w.s.srv.config.CloseTimeout))
		}
	}
}

// uncork is the reader's: what is queued leaves on its own goroutine.
func (w *webSocket) uncork() {
	if w.s.out.uncork() != nil && w.s.out.claim(w) {
		w.drain()
	}
}

// drain writes until the queue is empty. The caller has claimed the outbox.
func (w *webSocket) drain() {
	for {
		queue, n, last, err := w.s.out.take(w)
		if err == nil {
			err = w.writeQueue(queue, last)
			queue.release()
			w.s.out.wrote(n, err)
			if err != nil {
				w.s.terminate(ReasonTransportError, err)
			}
			if last {
				w.farewell()
			}
		}
		if w.s.out.rest() {
			return
		}
	}
}

// farewell follows the close frame: the session is closed, and the client has CloseTimeout to
// answer.
func (w *webSocket) farewell() {
	deadline := past
	if !w.broken {
		deadline = time.Now().Add(w.s.srv.config.CloseTimeout)
	}
	_ = w.conn.SetReadDeadline(deadline)
	w.s.terminate(0, nil) // no-op unless close began it, and then the reason is named
}

// writeQueue writes the queue, and the close frame after it, in as few system calls as it can.
func (w *webSocket) writeQueue(queue *chunk, last bool) error {
	if w.deflate {
		return w.writeDeflated(queue, last)
	}
	if !last && queue.next == nil {
		return w.write(queue.frames())
	}
	var frames net.Buffers
	for c := queue; c != nil; c = c.next {
		frames = append(frames, c.frames())
	}
	if last {
		frames = append(frames, w.closeFrame())
	}
	return w.push(func() (int64, error) { return frames.WriteTo(w.conn) })
}

// writeDeflated is writeQueue where permessage-deflate was agreed on.
func (w *webSocket) writeDeflated(queue *chunk, last bool) error {
	threshold := w.s.srv.config.CompressionThreshold
	buf := codec.AcquireBuffer()
	defer codec.ReleaseBuffer(buf)
	for c := queue; c != nil; c = c.next {
		if c.plain || c.packed {
			buf.B = append(buf.B, c.frames()...)
			continue
		}
		for frames := c.frames(); len(frames) > 0; {
			op, payload, rest := ws.Split(frames)
			if len(payload) >= threshold && op < ws.Close {
				buf.B = ws.AppendDeflated(buf.B, op, payload)
			} else {
				buf.B = append(buf.B, frames[:len(frames)-len(rest)]...)
			}
			frames = rest
		}
	}
	if last {
		buf.B = append(buf.B, w.closeFrame()...)
	}
	return w.write(buf.B)
}

// write writes whole frames. The caller has claimed the outbox, or nobody else writes yet.
func (w *webSocket) write(frames []byte) error {
	return w.push(func() (int64, error) {
		n, err := w.conn.Write(frames)
		frames = frames[n:]
		return int64(n), err
	})
}

// push repeats write until all is written, or nothing has moved for WriteTimeout: a slow client is
// not a dead one. A session that has ended gets no second chance.
func (w *webSocket) push(write func() (int64, error)) error {
	if w.broken {
		return net.ErrClosed
	}
	for {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.s.srv.config.WriteTimeout))
		n, err := write()
		if err == nil {
			return nil
		}
		if n == 0 || !errors.Is(err, os.ErrDeadlineExceeded) || w.s.over.Load() {
			w.broken = true
			return err
		}
	}
}

func (w *webSocket) closeFrame() []byte {
	w.s.mu.Lock()
	code, err := w.s.reason.CloseCode(), w.s.err
	w.s.mu.Unlock()
	var broken *ws.Error
	if errors.As(err, &broken) {
		return ws.AppendClose(nil, broken.Code, broken.Reason)
	}
	return ws.AppendClose(nil, code, "")
}

// discard reads on after a close frame that the client did not expect: closing a connection with
// unread bytes resets it, and the client would never see why.
func (w *webSocket) discard() {
	if w.s.out.holds(w) {
		w.s.out.settle() // the close frame may be another goroutine's
	}
	if c, ok := w.conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	_ = w.conn.SetReadDeadline(time.Now().Add(w.s.srv.config.CloseTimeout))
	_, _ = io.Copy(io.Discard, io.LimitReader(w.conn, discardMax))
}

const (
	discardMax  = 64 << 20
	discardTime = 5 * time.Second
	codeTooBig  = 1009 // RFC 6455 section 7.4.1
)
