package engineio

import (
	"cmp"
	"errors"
	"os"
	"time"
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
