package engineio

import (
	"cmp"
	"errors"
	"os"
	"time"
)

// wake starts a goroutine that drains the queue, unless one runs. When the session has ended that one may be waiting for a
// client that does not read, and its deadline is shortened.
func (w *webSocket) wake() {
	if w.s.out.claim(w) {
		go w.flush()
		return
	}
	w.shortenDeadline()
}

// shortenDeadline bounds writing when the session is closing: the present or next write gets CloseTimeout at most. When
// the session is closed, all writes that are left get CloseTimeout together.
func (w *webSocket) shortenDeadline() {
	if !w.s.over.Load() {
		return
	}
	c, now, closed := &w.s.srv.config, w.s.srv.now(), w.s.isClosed()
	until := now + min(c.CloseTimeout, c.WriteTimeout)
	w.mu.Lock()
	defer w.mu.Unlock()
	if closed {
		w.writeUntil = cmp.Or(w.writeUntil, until)
		until = w.writeUntil
	}
	if w.conn != nil && !w.lastTry {
		_ = w.conn.SetWriteDeadline(time.Now().Add(until - now))
	}
}

// send writes what is queued on the calling goroutine, as far as the socket takes it at once; another goroutine writes the
// rest. A goroutine for each session would make a broadcast a third more expensive.
func (w *webSocket) send() { w.sendWaiting(0) }

// sendWaiting is send, but where a write cannot go without waiting, as on TLS, it waits for a queue of at most that many
// bytes to be written.
func (w *webSocket) sendWaiting(most int) {
	if !w.s.out.claim(w) {
		return
	}
	b, err := w.s.out.take(w)
	switch {
	case err != nil:
	case b.closes: // there may be no chunk then
		go w.resume(b, 0)
		return
	case b.first.next == nil && w.reader.Waits() && !w.deflates(b.first):
		frames := b.first.frames()
		if done := w.writeNow(frames); done < len(frames) {
			go w.resume(b, done)
			return
		}
		w.s.out.free(b.first)
		w.s.finishedWriting(b.packets, nil)
	case b.first.size() <= most:
		w.s.pingGrace.hold() // this goroutine would read the client's pong, and waits instead
		w.writeBatch(b, 0)
		w.s.pingGrace.release()
	default:
		go w.resume(b, 0)
		return
	}
	if !w.s.out.release() {
		go w.flush()
	}
}

// deflates reports whether a chunk may hold frames that are yet to be compressed.
func (w *webSocket) deflates(c *chunk) bool {
	return w.deflate && !c.noCompress && !c.compressed && len(c.frames()) >= w.s.srv.config.CompressionThreshold
}

// resume writes a batch but for its first done bytes, which are written, and then what has been queued meanwhile. The
// caller has claimed the outbox.
func (w *webSocket) resume(b batch, done int) {
	w.writeBatch(b, done)
	if !w.s.out.release() {
		w.drain()
	}
}

// uncork ends the cork of the goroutine that reads, and sends the answers. It does not wait for a slow client to take
// them, since that client's pong may be the next to be read. On TLS, where only waiting shows that a client is slow, it
// waits for one record, which costs less than a goroutine.
func (w *webSocket) uncork() {
	if w.s.out.uncork() != nil {
		w.sendWaiting(tlsRecordSize)
	}
}

// drain writes until the queue is empty. The caller has claimed the outbox.
func (w *webSocket) drain() {
	for {
		if b, err := w.s.out.take(w); err == nil {
			w.writeBatch(b, 0)
		}
		if w.s.out.release() {
			return
		}
	}
}

// writeBatch writes a batch but for its first done bytes, which are written, and frees it. done is above 0 only for a
// batch of one chunk. The caller has claimed the outbox.
func (w *webSocket) writeBatch(b batch, done int) {
	var err error
	if done > 0 {
		err = w.write(b.first.frames()[done:])
	} else {
		err = w.writeFrames(b)
	}
	w.s.out.free(b.first)
	w.s.finishedWriting(b.packets, err)
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.s.terminate(ReasonStalled, err)
	case err != nil:
		w.s.terminate(ReasonTransportClose, err)
	}
	if b.closes {
		w.awaitClose()
	}
}

// awaitClose is called when the close frame is written: the session is closed, and the client has CloseTimeout to
// answer with its own.
func (w *webSocket) awaitClose() {
	deadline := expiredDeadline
	if !w.broken {
		deadline = time.Now().Add(w.s.srv.config.CloseTimeout)
	}
	_ = w.conn.SetReadDeadline(deadline)
	w.s.completeClose()
}
