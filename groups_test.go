package engineio

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
)

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		a, b, c := openPolling(t, srv, V4), openPolling(t, srv, V4), openPolling(t, srv, V4)
		var rooms Groups[string]
		for _, s := range []*Session{a, b, a} { // twice is once
			if err := rooms.Add("lobby", s); err != nil {
				t.Fatal(err)
			}
		}
		_ = rooms.Add("cellar", a)
		rooms.Send("lobby", PrepareText("hi"))
		for s, want := range map[*Session]uint64{a: 2, b: 2, c: 1} { // the open packet is the first
			if s.out.pushed != want {
				t.Errorf("%d packets, want %d", s.out.pushed, want)
			}
		}
		if got := slices.Sorted(slices.Values(rooms.Keys(a))); !slices.Equal(got, []string{"cellar", "lobby"}) {
			t.Errorf("a is in %v", got)
		}
		if !rooms.Remove("lobby", a) || rooms.Remove("lobby", a) || rooms.Remove("lobby", c) {
			t.Error("Remove does not report whether the session was there")
		}
		if got := slices.Collect(rooms.Sessions("lobby")); !slices.Equal(got, []*Session{b}) || rooms.Len("lobby") != 1 {
			t.Errorf("after Remove: %v", got)
		}
	})
}

// A session is in its groups while OnDisconnect runs, and in none after it.
func TestGroupsAtTheEnd(t *testing.T) {
	for _, told := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var rooms Groups[int]
			var keys []int
			config := Config{}
			if told {
				config.OnDisconnect = func(s *Session, _ *CloseError) {
					keys = rooms.Keys(s)
					if err := rooms.Add(3, s); !errors.Is(err, ErrClosed) {
						t.Errorf("Add to an ended session: %v", err)
					}
				}
			}
			srv := newTestServer(config)
			s, other := openPolling(t, srv, V4), openPolling(t, srv, V4)
			for key := range 3 {
				_ = rooms.Add(key, other)
				_ = rooms.Add(key, s)
			}
			s.CloseNow()
			synctest.Wait()
			if told && len(keys) != 3 {
				t.Errorf("in OnDisconnect the session is in %v", keys)
			}
			if rooms.Len(1) != 1 || len(rooms.Keys(s)) != 0 {
				t.Errorf("%d sessions in the group, %v", rooms.Len(1), rooms.Keys(s))
			}
			if err := rooms.Add(1, s); !errors.Is(err, ErrClosed) {
				t.Errorf("Add to an ended session: %v", err)
			}
			other.CloseNow()
			synctest.Wait()
			if len(rooms.groups) != 0 {
				t.Errorf("groups without a session: %v", rooms.groups)
			}
		})
	}
}

func TestGroupsBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		for most, rooms := range map[int]*Groups[int]{2: {MaxPerSession: 2}, defaultMaxGroups: {}} {
			for key := range most {
				if err := rooms.Add(key, s); err != nil {
					t.Fatal(err)
				}
			}
			if err := rooms.Add(most, s); !errors.Is(err, ErrTooManyGroups) {
				t.Errorf("group %d: %v", most+1, err)
			}
			rooms.Remove(0, s)
			if err := rooms.Add(most, s); err != nil {
				t.Errorf("after a Remove: %v", err)
			}
		}
	})
}

// Sessions end while others add, send and leave: nothing is left behind.
func TestGroupsInARace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		var rooms Groups[int]
		p := PrepareText("x")
		var wg sync.WaitGroup
		for i := range 20 {
			s := openPolling(t, srv, V4)
			wg.Go(func() {
				for k := range 100 {
					_ = rooms.Add(k%7, s)
					rooms.Send(k%5, p)
					rooms.Remove((k+3)%7, s)
				}
			})
			wg.Go(func() {
				for range i {
					rooms.Send(i%7, p)
				}
				s.CloseNow()
			})
		}
		wg.Wait()
		synctest.Wait()
		if len(rooms.groups) != 0 {
			t.Errorf("groups without a session: %v", rooms.groups)
		}
	})
}
