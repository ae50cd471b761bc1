package socketio

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
)

// roomed is a server whose clients join the rooms named by their auth.
func roomed(t *testing.T, config Config) (n *Namespace, join func(name string, rooms ...string) (*client, *Socket)) {
	sockets := make(chan *Socket, 1)
	s := serve(t, config, func(sio *Server) {
		n = sio.Of("/")
		n.OnConnect(func(s *Socket) {
			var auth struct{ Rooms []string }
			if err := s.Auth(&auth); err != nil {
				t.Error(err)
			}
			if err := s.Join(auth.Rooms...); err != nil {
				t.Error(err)
			}
			sockets <- s
		})
	})
	return n, func(name string, rooms ...string) (*client, *Socket) {
		c := dial(t, s)
		c.send(`0{"rooms":["` + strings.Join(append(rooms, name), `","`) + `"]}`)
		c.next()
		return c, soon(t, sockets)
	}
}

func TestTargets(t *testing.T) {
	n, join := roomed(t, Config{})
	clients := make(map[string]*client)
	sockets := make(map[string]*Socket)
	for name, rooms := range map[string][]string{"a": {"x"}, "b": {"x", "y"}, "c": {"y"}, "d": nil} {
		clients[name], sockets[name] = join(name, rooms...)
	}
	if n.Len() != 4 {
		t.Errorf("%d sockets", n.Len())
	}
	b := sockets["b"]
	base := n.To("x")
	for i, c := range []struct {
		target Target
		want   string
	}{
		{n.To("x"), "ab"},
		{n.To("x", "y"), "abc"},
		{n.To("x").To("y", "d"), "abcd"},
		{base.To("d"), "abd"},
		{base.To("c"), "abc"}, // not also d
		{base, "ab"},
		{n.To(), ""},
		{n.To("nobody"), ""},
		{n.To("x", "y").Except("y"), "a"},
		{n.Except("x"), "cd"},
		{n.Except("x").Except("d"), "c"},
		{n.Except(), "abcd"},
		{n.Except("x").To("y"), "cd"},
		{n.To(b.ID()), "b"},
		{n.To(b.ID(), "x"), "ab"},
		{n.Except(b.ID()), "acd"},
		{b.To("x"), "a"},
		{b.To("x", "y").Except("c"), "a"},
		{b.Broadcast(), "acd"},
		{b.Except("d"), "ac"},
		{b.With(engineio.NoCompress), "b"},
		{b.To(b.ID()), ""},
	} {
		var got []string
		for s := range c.target.Sockets() {
			for name := range sockets {
				if sockets[name] == s {
					got = append(got, name)
				}
			}
		}
		slices.Sort(got)
		if strings.Join(got, "") != c.want {
			t.Errorf("target %d is %v, not %s", i, got, c.want)
		}
		if err := c.target.Emit("to", i, []byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		for _, name := range got {
			clients[name].want(`51-["to",`+itoa(i)+`,{"_placeholder":true,"num":0}]`, "b"+string([]byte{byte(i)}))
		}
	}
	_ = n.Emit("all")
	for _, c := range clients {
		c.want(`2["all"]`)
	}
	n.To("x").Join("z")
	n.To("y").Leave("z")
	if sockets["a"].In("z") == false || sockets["b"].In("z") || !slices.Contains(sockets["a"].Rooms(), "z") {
		t.Error("Join or Leave of a target")
	}
	n.To("x").Disconnect(false)
	clients["a"].want(`1`)
	clients["b"].want(`1`)
	_ = n.Emit("left")
	clients["c"].want(`2["left"]`)
	clients["d"].want(`2["left"]`)
}

func TestRoomsAreLeft(t *testing.T) {
	n, join := roomed(t, Config{})
	var all []*Socket
	for range 5 {
		_, s := join("many", "one")
		all = append(all, s)
	}
	all[1].Leave("many", "unknown", all[1].ID())
	if !all[1].In(all[1].ID()) || all[1].In("many") {
		t.Error("it left its own room, or not that")
	}
	for _, i := range []int{0, 4, 2, 3, 1} {
		all[i].Session().CloseNow()
	}
	for _, s := range all {
		<-s.Context().Done()
	}
	waitFor(t, func() bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return len(n.rooms) == 0 && len(n.sockets) == 0
	})
	if err := all[0].Join("many"); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

func TestMaxRooms(t *testing.T) {
	_, join := roomed(t, Config{MaxRooms: 2})
	_, s := join("a")
	if err := s.Join("a", s.ID(), "b"); err != nil {
		t.Error(err)
	}
	if err := s.Join("c"); !errors.Is(err, ErrTooManyRooms) {
		t.Error(err)
	}
	s.Leave("a")
	if err := s.Join("c"); err != nil {
		t.Error(err)
	}
}

func TestVolatile(t *testing.T) {
	n, join := roomed(t, Config{})
	c, s := join("a")
	if err := s.With(engineio.Volatile).Emit("may be lost"); err != nil {
		t.Error(err)
	}
	if err := n.With(engineio.Volatile).Emit("reserved", func() {}); err == nil {
		t.Error("no error")
	}
	_ = s.Emit("sure")
	for got := c.next(); got != `2["sure"]`; got = c.next() {
		if got != `2["may be lost"]` {
			t.Error(got)
		}
	}
}

// A group is not torn apart, whatever Overflow drops.
func TestGroupsAreWhole(t *testing.T) {
	for _, overflow := range []engineio.Overflow{engineio.OverflowReject, engineio.OverflowDropNewest, engineio.OverflowDropOldest} {
		config := Config{}
		config.Engine.Overflow = overflow
		config.Engine.MaxQueuedBytes = 40_000
		n, join := roomed(t, config)
		c, s := join("a")
		data := make([]byte, 5_000)
		for i := range 200 {
			if i%2 == 0 || overflow == engineio.OverflowReject {
				_ = s.Emit("group", data, data)
			} else {
				_ = n.To("a").Emit("group", data, data)
			}
			_ = s.Emit("text", i)
		}
		n.To("a").Disconnect(true)
		for {
			if p, err := c.Receive(); err != nil {
				break
			} else if got := string(p.Data); strings.HasPrefix(got, `52-["group"`) {
				for range 2 {
					if p, err := c.Receive(); err == nil && (!p.Binary || len(p.Data) != len(data)) {
						t.Fatalf("%v: %q amid a group", overflow, p.Data)
					}
				}
			} else if p.Binary {
				t.Fatalf("%v: an attachment alone", overflow)
			}
		}
	}
}

func TestKey(t *testing.T) {
	name := NewKey[error]("name")
	_, join := roomed(t, Config{})
	_, s := join("a")
	if _, ok := name.Get(s); ok || name.Value(s) != nil || name.String() != "name" {
		t.Error("a value that was not set")
	}
	name.Set(s, nil)
	if v, ok := name.Get(s); !ok || v != nil {
		t.Error(v, ok)
	}
	name.Set(s, ErrBusy)
	if name.Value(s) != ErrBusy {
		t.Error(name.Value(s))
	}
}
