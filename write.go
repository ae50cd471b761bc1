package engineio

import (
	"cmp"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// wake starts a drain unless one runs. One that runs for a session which has ended may be stuck
// with a client that does not read, and is given CloseTimeout to come through.
func (w *webSocket) wake() {
	if w.s.out.claim(w) {
		go w.flush()
		return
	}
	w.hurry()
}

// hurry gives a write that is under way, or about to begin, CloseTimeout at most if the session is over, and
// all that are left CloseTimeout together from when it has ended.
func (w *webSocket) hurry() {
	if !w.s.over.Load() {
		return
	}
	c, now, closed := &w.s.srv.config, w.s.srv.now(), w.s.isClosed()
	until := now + min(c.CloseTimeout, c.WriteTimeout)
	w.mu.Lock()
	defer w.mu.Unlock()
	if closed {
		w.until = cmp.Or(w.until, until)
		until = w.until
	}
	if w.conn != nil && !w.final {
		_ = w.conn.SetWriteDeadline(time.Now().Add(until - now))
	}
}

// send writes what is queued here and now, so far as the socket takes it. A goroutine for each
// session costs a broadcast a third more.
func (w *webSocket) send() { w.sendWaiting(0) }

// sendWaiting is send for who may wait for a client to take so many bytes, where a write must.
func (w *webSocket) sendWaiting(most int) {
	if !w.s.out.claim(w) {
		return
	}
	queue, n, last, err := w.s.out.take(w)
	switch {
	case err != nil:
	case last: // the queue may be nil then
		go w.resume(queue, n, last, 0)
		return
	case queue.next == nil && w.reader.Waits() && !w.deflates(queue):
		frames := queue.frames()
		if done := w.writeNow(frames); done < len(frames) {
			go w.resume(queue, n, last, done)
			return
		}
		w.s.out.free(queue)
		w.s.finishedWriting(n, nil)
	case queue.size() <= most:
		w.s.pingGrace.hold() // who waits here would hear the client
		w.finish(queue, n, false, 0)
		w.s.pingGrace.release()
	default:
		go w.resume(queue, n, last, 0)
		return
	}
	if !w.s.out.release() {
		go w.flush()
	}
}

// deflates reports whether a chunk may have something that is yet to be compressed.
func (w *webSocket) deflates(c *chunk) bool {
	return w.deflate && !c.plain && !c.packed && len(c.frames()) >= w.s.srv.config.CompressionThreshold
}

// resume goes on with a queue of which done bytes are written. The caller has claimed the outbox.
func (w *webSocket) resume(queue *chunk, n uint64, last bool, done int) {
	w.finish(queue, n, last, done)
	if !w.s.out.release() {
		w.drain()
	}
}

// uncork is the reader's. It does not wait for a slow client to take the answers: that client's pong may be the
// next to be read. A little where the socket cannot tell (TLS) it does wait for, as a goroutine costs more.
func (w *webSocket) uncork() {
	if w.s.out.uncork() != nil {
		w.sendWaiting(piece)
	}
}

// drain writes until the queue is empty. The caller has claimed the outbox.
func (w *webSocket) drain() {
	for {
		queue, n, last, err := w.s.out.take(w)
		if err == nil {
			w.finish(queue, n, last, 0)
		}
		if w.s.out.release() {
			return
		}
	}
}

// finish writes what take gave, but for its first done bytes, and says so.
func (w *webSocket) finish(queue *chunk, n uint64, last bool, done int) {
	var err error
	if done > 0 { // of a single chunk
		err = w.write(queue.frames()[done:])
	} else {
		err = w.writeQueue(queue, last)
	}
	w.s.out.free(queue)
	w.s.finishedWriting(n, err)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.s.terminate(ReasonStalled, err)
	case err != nil:
		w.s.terminate(ReasonTransportClose, err)
	}
	if last {
		w.farewell()
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
	if !w.resumes() {
		return w.writeChunks(queue, last)
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
	copied := cap(buf.B)
	w.s.out.total.add(copied)
	defer w.s.out.total.add(-copied)
	return w.write(buf.B)
}

// writeChunks is writeQueue for connections that cannot take several slices at once.
func (w *webSocket) writeChunks(queue *chunk, last bool) error {
	for c := queue; c != nil; c = c.next {
		if err := w.write(c.frames()); err != nil {
			return err
		}
	}
	if last {
		return w.write(w.closeFrame())
	}
	return nil
}

// resumes reports whether a write that has timed out can go on. A tls.Conn is broken by one.
func (w *webSocket) resumes() bool {
	_, tcp := w.conn.(*net.TCPConn)
	return tcp
}

// piece is what is written at once where a write that has timed out cannot go on: a record of TLS.
const piece = 16 << 10

// write writes whole frames. The caller has claimed the outbox, or nobody else writes yet.
func (w *webSocket) write(frames []byte) error {
	for !w.resumes() && len(frames) > piece {
		if err := w.writeSome(frames[:piece]); err != nil {
			return err
		}
		frames = frames[piece:]
	}
	return w.writeSome(frames)
}

// writeNow writes what the socket takes at once, and returns how much that is.
func (w *webSocket) writeNow(frames []byte) int {
	if w.broken {
		return 0
	}
	return w.reader.WriteNow(frames)
}

func (w *webSocket) writeSome(frames []byte) error {
	if frames = frames[w.writeNow(frames):]; len(frames) == 0 {
		return nil
	}
	return w.push(func() (int64, error) {
		n, err := w.conn.Write(frames)
		frames = frames[n:]
		return int64(n), err
	})
}

// lastTry is the time for one more write where the time for it is up: a process that stood still may not
// have tried at all.
const lastTry = time.Millisecond

// push repeats write until all is written, or nothing has moved for WriteTimeout: a slow client is
// not a dead one. A session that has ended gets CloseTimeout at most.
func (w *webSocket) push(write func() (int64, error)) error {
	if w.broken {
		return net.ErrClosed
	}
	for over := false; ; {
		w.limit(over)
		n, err := w.attempt(write)
		if err == nil {
			_ = w.conn.SetWriteDeadline(time.Time{}) // one that has passed would end the next WriteNow
			return nil
		}
		stuck := n == 0 || w.s.isClosed()
		if !errors.Is(err, os.ErrDeadlineExceeded) || over && stuck {
			w.broken = true
			return err
		}
		over = stuck
	}
}

// attempt is one write of push. That of a tls.Conn lasts as long as the client takes something.
func (w *webSocket) attempt(write func() (int64, error)) (int64, error) {
	if _, secure := w.conn.(*tls.Conn); secure {
		defer w.watchTLSWrite().stop()
	}
	return write()
}

// limit gives the next write of push its time.
func (w *webSocket) limit(final bool) {
	d := w.s.srv.config.WriteTimeout
	if final {
		d = lastTry
	}
	w.mu.Lock()
	w.final = final
	_ = w.conn.SetWriteDeadline(time.Now().Add(d))
	w.mu.Unlock()
	w.hurry()
}

func (w *webSocket) closeFrame() []byte {
	w.s.mu.Lock()
	code, err := w.s.reason.CloseCode(), w.s.err
	w.s.mu.Unlock()
	w.mu.Lock()
	echo := int(w.closeCode)
	w.mu.Unlock()
	if echo == noStatus {
		return ws.AppendHeader(nil, ws.Close, 0)
	}
	if echo != 0 { // RFC 6455 section 5.5.1
		return ws.AppendClose(nil, echo, "")
	}
	var broken *ws.Error
	if errors.As(err, &broken) {
		return ws.AppendClose(nil, broken.Code, broken.Reason)
	}
	return ws.AppendClose(nil, code, "")
}
