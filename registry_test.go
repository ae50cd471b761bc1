package engineio

import (
	"fmt"
	"sync"
	"testing"
)

func TestRegistry(t *testing.T) {
	var r registry
	r.init()
	a, b, impostor := &Session{id: "a"}, &Session{id: "b"}, &Session{id: "a"}
	if !r.add(a) || !r.add(b) {
		t.Fatal("a free id is taken")
	}
	if r.add(impostor) {
		t.Error("an id is given twice")
	}
	r.remove(impostor) // changes nothing: it was never in
	for id, want := range map[string]*Session{"a": a, "b": b, "c": nil, "": nil} {
		if got := r.get([]byte(id)); got != want {
			t.Errorf("get(%q) is %v", id, got)
		}
	}
	r.remove(a)
	r.remove(a)
	if r.get([]byte("a")) != nil || r.get([]byte("b")) != b {
		t.Error("remove leaves the session, or takes another")
	}
}

func TestRegistryEach(t *testing.T) {
	var r registry
	r.init()
	const n = 500
	for i := range n {
		r.add(&Session{id: fmt.Sprint(i)})
	}
	seen := make(map[string]int)
	r.each(func(s *Session) bool {
		seen[s.id]++
		r.remove(s)                                  // a walk holds no lock
		r.each(func(*Session) bool { return false }) // and may be nested
		return true
	})
	if len(seen) != n {
		t.Errorf("saw %d sessions of %d", len(seen), n)
	}
	for id, times := range seen {
		if times != 1 {
			t.Errorf("saw %s %d times", id, times)
		}
	}
	r.each(func(*Session) bool { t.Error("a session is left"); return true })
}

func TestRegistryEachStops(t *testing.T) {
	var r registry
	r.init()
	for i := range 500 {
		r.add(&Session{id: fmt.Sprint(i)})
	}
	n := 0
	r.each(func(*Session) bool { n++; return n < 3 })
	if n != 3 {
		t.Errorf("a walk that was to stop at 3 saw %d", n)
	}
}

func TestRegistryOfMany(t *testing.T) {
	var r registry
	r.init()
	var all sync.WaitGroup
	for g := range 8 {
		all.Go(func() {
			for i := range 200 {
				s := &Session{id: fmt.Sprint(g, " ", i)}
				if !r.add(s) || r.get([]byte(s.id)) != s {
					t.Error("a session is not found")
				}
				r.each(func(*Session) bool { return i%10 == 0 })
				r.remove(s)
			}
		})
	}
	all.Wait()
	r.each(func(*Session) bool { t.Error("a session is left"); return false })
}
