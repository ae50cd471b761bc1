// Package lend shares what is heavy and at work only while a processor works for it, such as the state of a compressor.
package lend

import (
	"runtime"
	"sync"
)

// A Pool lends out values and makes one only when all that it has are lent: never more than there were
// processors when it was made (GOMAXPROCS), since more would not finish sooner, they would only weigh
// more. Whoever comes while all are lent waits, in no particular order.
//
// Make Pools as package variables: they belong to the process, so that ten servers in one cost no ten times the
// memory, and a channel made in the middle of a program may belong to a synctest bubble, which nobody outside may
// then touch. For the same reason a value that owns a channel or a timer must be made by Filled.
type Pool[T any] struct {
	places chan struct{} // one for each value that may be lent now
	mu     sync.Mutex
	idle   []T
}

// New is a Pool that has no values yet.
func New[T any]() *Pool[T] {
	n := runtime.GOMAXPROCS(0)
	p := &Pool[T]{places: make(chan struct{}, n)}
	for range n {
		p.places <- struct{}{}
	}
	return p
}

// Filled is a Pool that has all its values from the beginning, for those that own a channel or a timer. They
// should be small.
func Filled[T any](create func() T) *Pool[T] {
	p := New[T]()
	for range cap(p.places) {
		p.idle = append(p.idle, create())
	}
	return p
}

// Get borrows a value, or what create returns. Each call is answered by one Put or one Drop.
func (p *Pool[T]) Get(create func() T) T {
	<-p.places
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		v := p.idle[last]
		p.idle = p.idle[:last] // the array keeps v, which comes back
		p.mu.Unlock()
		return v
	}
	p.mu.Unlock()
	return create()
}

// Use lends f a value. If f panics it is dropped: nobody knows its state.
func (p *Pool[T]) Use(create func() T, f func(T)) {
	whole := false
	var v T
	defer func() {
		if whole {
			p.Put(v)
		} else {
			p.Drop()
		}
	}()
	v = p.Get(create)
	f(v)
	whole = true
}

// Put gives a value back. It panics when nothing is lent: two users of one value would corrupt each other's work.
func (p *Pool[T]) Put(v T) {
	p.mu.Lock()
	p.idle = append(p.idle, v)
	p.mu.Unlock()
	p.Drop()
}

// Drop gives the place of a value back, but not the value. It panics when nothing is lent.
func (p *Pool[T]) Drop() {
	select {
	case p.places <- struct{}{}:
	default:
		panic("lend: more was given back than was lent")
	}
}
