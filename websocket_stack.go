package engineio

import "time"

// slowAfter is the time between two reads from which on a session counts as slow. A slow session gives up its
// reading goroutine in between, which costs about 1 us each time and saves 2 KB or more.
const slowAfter = 100 * time.Millisecond

// runOnFreshStack runs work in a goroutine of its own, waits for it, and returns its result: whether the
// connection goes on. The stack of the caller, which waits, stays as small as it began. A stack that work
// has grown from 2 KB to 4 or 16 shrinks to 4 at best, when the garbage collector finds it idle.
func (w *webSocket) runOnFreshStack(work func(*webSocket) bool) bool {
	done := make(chan bool, 1)
	go func() {
		goesOn := false
		defer func() { done <- goesOn }()
		defer w.s.srv.recovered("a WebSocket") // from our own panics; those of callbacks are recovered there
		goesOn = work(w)
	}()
	return <-done
}

// runHere takes the place of runOnFreshStack on TLS, where waiting itself needs a larger stack: a second goroutine would
// save none.
func (w *webSocket) runHere(work func(*webSocket) bool) bool {
	defer w.s.srv.recovered("a WebSocket")
	return work(w)
}

// releaseIfSlow reports, after a read, whether the session is slow; it has given back its buffers then, and the reading
// goroutine is to end.
func (w *webSocket) releaseIfSlow() bool {
	before := w.lastRead
	w.lastRead = w.s.srv.now()
	if w.lastRead-before < slowAfter || !w.reader.Rest() {
		return false
	}
	w.s.out.dropCorkTimer()
	return true
}
