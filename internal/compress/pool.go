package compress

import (
	"runtime"
	"sync"
)

// pool holds at most GOMAXPROCS (at its first use) values of one kind. It makes a value only when all that exist are in
// use, and lets callers wait, in no particular order, when none may be made: more coders than
// processors would not finish sooner, they would only weigh more.
//
// The zero value is ready. Pools belong to the process, not to a Compressor, so that ten servers in
// one process do not cost ten times the memory.
type pool[T any] struct {
	once    sync.Once
	idle    chan T        // made and free
	permits chan struct{} // one for each value that may still be made
}

func (p *pool[T]) init() {
	p.once.Do(func() {
		n := runtime.GOMAXPROCS(0)
		p.idle, p.permits = make(chan T, n), make(chan struct{}, n)
		for range n {
			p.permits <- struct{}{}
		}
	})
}

// get waits for a value. Each call is answered by one put or one drop.
func (p *pool[T]) get(make func() T) T {
	p.init()
	select {
	case v := <-p.idle:
		return v
	default:
	}
	select {
	case v := <-p.idle:
		return v
	case <-p.permits:
	}
	return make()
}

func (p *pool[T]) put(v T) { p.idle <- v }

// drop gives the place of a value back, but not the value.
func (p *pool[T]) drop() { p.permits <- struct{}{} }
