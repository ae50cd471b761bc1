package engineio

import "time"

// slowPace is the time between two reads from which on a session is slow. One that is gives up its
// working goroutine in between, which costs about 1 us a time and saves 2 KB or more.
const slowPace = 100 * time.Millisecond

// runOnFreshStack has a goroutine of its own do some work for w, and returns what that says: whether the
// connection goes on. The caller only waits, so its stack stays as small as it began: one that work
// has grown from 2 KB to 4 or 16 shrinks to 4 at best, when the garbage collector finds it idle.
func (w *webSocket) runOnFreshStack(work func(*webSocket) bool) bool {
	done := make(chan bool, 1)
	go func() {
		goesOn := false
		defer func() { done <- goesOn }()
		defer w.s.srv.recovered("a WebSocket") // our own, callbacks are recovered one by one
		goesOn = work(w)
	}()
	return <-done
}

// runHere is shift where the wait itself needs more stack, on TLS: a second goroutine would save none.
func (w *webSocket) runHere(work func(*webSocket) bool) bool {
	defer w.s.srv.recovered("a WebSocket")
	return work(w)
}

// releaseIfSlow tells, after a read, whether the shift is to end.
func (w *webSocket) releaseIfSlow() bool {
	before := w.lastRead
	w.lastRead = w.s.srv.now()
	if w.lastRead-before < slowPace || !w.reader.Rest() {
		return false
	}
	w.s.out.relax()
	return true
}
