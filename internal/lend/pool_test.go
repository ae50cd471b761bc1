package lend

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// However many come at once, there are no more values than processors.
func TestBound(t *testing.T) {
	p := New[*int]()
	var made, lent atomic.Int32
	var wg sync.WaitGroup
	most := int32(runtime.GOMAXPROCS(0))
	for range 1000 {
		wg.Go(func() {
			v := p.Get(func() *int { made.Add(1); return new(int) })
			if n := lent.Add(1); n > most {
				t.Errorf("%d are lent, of %d", n, most)
			}
			*v++ // the race detector sees a value that two have
			runtime.Gosched()
			lent.Add(-1)
			p.Put(v)
		})
	}
	wg.Wait()
	if made.Load() > most || len(p.idle) != int(made.Load()) {
		t.Errorf("%d made of %d, %d idle", made.Load(), most, len(p.idle))
	}
}

// A value that is dropped is replaced, and its place is not lost.
func TestDrop(t *testing.T) {
	p, made := New[int](), 0
	create := func() int { made++; return made }
	for range 3 * runtime.GOMAXPROCS(0) {
		if v := p.Get(create); v != made {
			t.Fatalf("got %d of %d: a dropped one", v, made)
		}
		p.Drop()
	}
	p.Put(p.Get(create))
	if v := p.Get(create); v != made || made != 3*runtime.GOMAXPROCS(0)+1 {
		t.Errorf("got %d, %d made: a value that was put back is not lent again", v, made)
	}
}

// A panic costs no place.
func TestUseThatPanics(t *testing.T) {
	p := New[int]()
	for range 3 * runtime.GOMAXPROCS(0) {
		func() {
			defer func() { _ = recover() }()
			p.Use(func() int { return 0 }, func(int) { panic("broken") })
		}()
	}
	if len(p.idle) != 0 {
		t.Errorf("%d broken values are kept", len(p.idle))
	}
}

// A program may test its handlers in one bubble after another, and outside.
func TestBubbles(t *testing.T) {
	p := New[int]()
	borrow := func(*testing.T) { p.Put(p.Get(func() int { return 0 })) }
	synctest.Test(t, borrow)
	synctest.Test(t, borrow)
	borrow(t)
}

// A Pool that is filled makes no value when one is asked for.
func TestFilled(t *testing.T) {
	made := 0
	p := Filled(func() int { made++; return made })
	if made != runtime.GOMAXPROCS(0) {
		t.Fatalf("%d made", made)
	}
	for range made {
		if v := p.Get(func() int { return -1 }); v < 1 || v > made {
			t.Errorf("got %d, which was not there from the beginning", v)
		}
	}
}

// Whoever gives back what he has not borrowed is told so, and does not wait for ever.
func TestGivenBackTwice(t *testing.T) {
	for what, again := range map[string]func(p *Pool[int]){
		"Put after Put":   func(p *Pool[int]) { p.Put(1) },
		"Drop after Put":  func(p *Pool[int]) { p.Drop() },
		"Put without Get": func(p *Pool[int]) { p.Put(2) },
	} {
		t.Run(what, func(t *testing.T) {
			p := New[int]()
			if what != "Put without Get" {
				p.Put(p.Get(func() int { return 1 }))
			}
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			again(p)
		})
	}
}
