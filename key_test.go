package engineio

import (
	"io"
	"sync"
	"testing"
)

func TestKey(t *testing.T) {
	s, other := new(Session), new(Session)
	name, age, twin := NewKey[string]("name"), NewKey[int]("age"), NewKey[string]("name")
	if v, ok := name.Get(s); ok || v != "" {
		t.Errorf("a value nobody has set: %q, %v", v, ok)
	}
	name.Set(s, "Ada")
	age.Set(s, 36)
	if v, ok := name.Get(s); !ok || v != "Ada" {
		t.Errorf("got %q, %v", v, ok)
	}
	if v, ok := age.Get(s); !ok || v != 36 {
		t.Errorf("got %d, %v", v, ok)
	}
	if _, ok := twin.Get(s); ok {
		t.Error("two keys of one name are one value")
	}
	if _, ok := name.Get(other); ok {
		t.Error("a session has the value of another")
	}
	name.Set(s, "Grace")
	if v, _ := name.Get(s); v != "Grace" || s.values.next.next != nil {
		t.Errorf("after the second Set: %q, %v values", v, s.values)
	}
	if name.String() != "name" {
		t.Errorf("String is %q", name)
	}
}

// A zero value was set all the same.
func TestKeyOfNothing(t *testing.T) {
	s := new(Session)
	reader, pointer := NewKey[io.Reader]("reader"), NewKey[*int]("pointer")
	reader.Set(s, nil)
	pointer.Set(s, nil)
	if v, ok := reader.Get(s); !ok || v != nil {
		t.Errorf("a nil interface: %v, %v", v, ok)
	}
	if v, ok := pointer.Get(s); !ok || v != nil {
		t.Errorf("a nil pointer: %v, %v", v, ok)
	}
}

func TestKeyFromManyGoroutines(t *testing.T) {
	s := new(Session)
	key := NewKey[int]("n")
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 100 {
				key.Set(s, i)
				if _, ok := key.Get(s); !ok {
					t.Error("a value that was set is not there")
				}
			}
		})
	}
	all.Wait()
}

// Values outlive the session.
func TestKeyAfterTheEnd(t *testing.T) {
	user := NewKey[string]("user")
	got := ""
	srv := newTestServer(Config{
		OnConnect:    func(s *Session) { user.Set(s, "Ada") },
		OnDisconnect: func(s *Session, _ *CloseError) { got, _ = user.Get(s) },
	})
	live(t, srv)
	settled(t, srv)
	if got != "Ada" {
		t.Errorf("OnDisconnect finds %q", got)
	}
}

func TestKeyValueAndDelete(t *testing.T) {
	s := new(Session)
	name, age := NewKey[string]("name"), NewKey[int]("age")
	age.Delete(s)
	name.Set(s, "Ada")
	age.Set(s, 36)
	if name.Value(s) != "Ada" || age.Value(s) != 36 {
		t.Errorf("values are %q and %d", name.Value(s), age.Value(s))
	}
	name.Delete(s)
	if v, ok := name.Get(s); ok || v != "" || name.Value(s) != "" || age.Value(s) != 36 {
		t.Errorf("after Delete: %q, %v, and %d", v, ok, age.Value(s))
	}
	name.Set(s, "Grace")
	age.Delete(s)
	if name.Value(s) != "Grace" || age.Value(s) != 0 {
		t.Errorf("after the other Delete: %q and %d", name.Value(s), age.Value(s))
	}
}
