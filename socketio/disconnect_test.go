package socketio

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// waitFor waits for what has no event.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("it does not come")
		}
	}
}

func TestReasons(t *testing.T) {
	for want, end := range map[Reason]func(c *client, s *Socket){
		ReasonClientDisconnect: func(c *client, _ *Socket) { c.send(`1`) },
		ReasonServerDisconnect: func(_ *client, s *Socket) { s.Disconnect(true) },
		ReasonTransportClose:   func(c *client, _ *Socket) { c.Close() },
		ReasonParseError:       func(c *client, _ *Socket) { c.send(`2{}`) },
		ReasonForcedClose:      func(_ *client, s *Socket) { s.Session().Close() },
		ReasonPingTimeout:      func(*client, *Socket) {},
		ReasonShutdown: func(_ *client, s *Socket) {
			go func() { _ = s.Namespace().srv.Engine().Shutdown(context.Background()) }()
		},
	} {
		t.Run(want.String(), func(t *testing.T) {
			t.Parallel()
			sockets := make(chan *Socket, 1)
			reasons := make(chan Reason, 2)
			config := Config{}
			if want == ReasonPingTimeout {
				config.Engine.PingInterval, config.Engine.PingTimeout = 20*time.Millisecond, 20*time.Millisecond
			}
			s := serve(t, config, func(sio *Server) {
				n := sio.Of("/")
				n.OnConnect(func(s *Socket) {
					_ = s.Join("room")
					sockets <- s
				})
				n.OnDisconnect(func(s *Socket, r Reason) {
					if !s.In("room") {
						t.Error("it is in no room any more")
					}
					var why *CloseError
					if err := s.Emit("x"); !errors.As(err, &why) || !errors.Is(err, ErrClosed) || why.Reason != r {
						t.Errorf("a send fails with %v", err)
					}
					if context.Cause(s.Context()) != why {
						t.Error("its context has another cause")
					}
					reasons <- r
				})
			})
			c := dial(t, s)
			c.join("/")
			end(c, soon(t, sockets))
			if r := soon(t, reasons); r != want {
				t.Errorf("it ends with %v", r)
			}
		})
	}
}

// What a client sent before it left is handled, in order, and OnDisconnect comes last.
func TestEventsBeforeTheEnd(t *testing.T) {
	for name, end := range map[string]func(c *client){"leave": func(c *client) { c.send(`1`) }, "close": func(c *client) { c.Close() }} {
		t.Run(name, func(t *testing.T) {
			hold, done := make(chan struct{}), make(chan string, 9)
			s := serve(t, Config{}, func(sio *Server) {
				n := sio.Of("/")
				n.On("hold", func(*Socket, *Args) { <-hold })
				On(n, "say", func(_ *Socket, what string) { done <- what })
				n.OnDisconnect(func(*Socket, Reason) { done <- "end" })
			})
			c := dial(t, s)
			c.join("/")
			c.send(`2["hold"]`, `2["say","one"]`, `2["say","two"]`)
			end(c)
			close(hold)
			for _, want := range []string{"one", "two", "end"} {
				if got := soon(t, done); got != want {
					t.Errorf("%s in place of %s", got, want)
				}
			}
		})
	}
}

// Disconnect tells the client, drops what waits, and leaves the other namespaces alone; what is under way from the
// client does no harm, and it may come back.
func TestDisconnect(t *testing.T) {
	hold := make(chan struct{})
	s := serve(t, Config{}, func(sio *Server) {
		echo(sio)
		n := sio.Of("/")
		n.On("kick", func(s *Socket, _ *Args) {
			s.Disconnect(false)
			<-hold
		})
		n.On("dropped", func(*Socket, *Args) { t.Error("an event after the end") })
	})
	c := dial(t, s)
	first := c.join("/", "/custom")
	c.send(`2["kick"]`, `2["dropped"]`)
	c.want(`1`)
	c.send(`2["dropped"]`, `31[]`, `1`)
	close(hold)
	c.send(`2/custom,["message"]`)
	c.want(`2/custom,["message-back"]`)
	if again := c.join("/"); again[0] == first[0] {
		t.Error("the id is the same")
	}
	c.send(`2["message"]`)
	c.want(`2["message-back"]`)
}

func TestDisconnectOfTheSession(t *testing.T) {
	left := make(chan string, 3)
	s := serve(t, Config{}, func(sio *Server) {
		for _, name := range []string{"/", "/a"} {
			n := sio.Of(name)
			n.On("kick", func(s *Socket, _ *Args) { s.Disconnect(true) })
			n.OnDisconnect(func(_ *Socket, r Reason) { left <- r.String() })
		}
	})
	for _, way := range enginetest.Ways {
		c := dialBy(t, s, way)
		c.join("/", "/a")
		c.send(`2["kick"]`)
		got := map[string]bool{c.next(): true, c.next(): true}
		if !got[`1`] || !got[`1/a,`] {
			t.Error(got)
		}
		if p, ok := c.Client.(*enginetest.Polling); ok { // by itself, or socket.io-client acts on it before the others
			if packets, err := p.Poll(); err != nil || len(packets) != 1 || packets[0].Type != codec.Close {
				t.Error(packets, err)
			}
		} else {
			c.ended()
		}
		for range 2 {
			if r := soon(t, left); r != "server namespace disconnect" {
				t.Error(r)
			}
		}
	}
}

// A panic in a handler ends its socket, and no other.
func TestPanic(t *testing.T) {
	for _, where := range []string{"handler", "OnConnect", "OnAny", "OnDisconnect", "Goexit"} {
		t.Run(where, func(t *testing.T) {
			left := make(chan Reason, 1)
			s := serve(t, silent(), func(sio *Server) {
				echo(sio)
				n := sio.Of("/bad")
				n.On("go", func(*Socket, *Args) {
					switch where {
					case "handler":
						panic(where)
					case "Goexit":
						runtime.Goexit()
					}
				})
				n.OnAny(func(*Socket, string, *Args) {
					if where == "OnAny" {
						panic(where)
					}
				})
				n.OnConnect(func(*Socket) {
					if where == "OnConnect" {
						panic(where)
					}
				})
				n.OnDisconnect(func(_ *Socket, r Reason) {
					left <- r
					if where == "OnDisconnect" {
						panic(where)
					}
				})
			})
			c := dial(t, s)
			c.join("/", "/bad")
			want := ReasonServerDisconnect
			switch where {
			case "OnConnect":
				c.want(`1/bad,`)
			case "OnDisconnect", "Goexit":
				c.send(`2/bad,["go"]`, `1/bad,`)
				want = ReasonClientDisconnect
			default:
				c.send(`2/bad,["go"]`)
				c.want(`1/bad,`)
			}
			if r := soon(t, left); r != want {
				t.Error(r)
			}
			c.send(`2["message"]`)
			c.want(`2["message-back"]`)
		})
	}
}

// Shutdown of the engine waits for handlers.
func TestShutdownWaits(t *testing.T) {
	started, hold, gone := make(chan struct{}), make(chan struct{}), make(chan struct{})
	var sio *Server
	s := serve(t, Config{}, func(srv *Server) {
		sio = srv
		n := srv.Of("/")
		n.On("go", func(*Socket, *Args) { close(started); <-hold })
		n.OnDisconnect(func(*Socket, Reason) { close(gone) })
	})
	c := dial(t, s)
	c.join("/")
	c.send(`2["go"]`)
	soon(t, started)
	ended := make(chan error, 1)
	go func() { ended <- sio.Engine().Shutdown(context.Background()) }()
	c.ended()
	select {
	case err := <-ended:
		t.Fatalf("it did not wait: %v", err)
	default:
	}
	close(hold)
	if err := soon(t, ended); err != nil {
		t.Error(err)
	}
	select {
	case <-gone:
	default:
		t.Error("OnDisconnect has not run")
	}
}

func TestReasonOf(t *testing.T) {
	for r := engineio.ReasonServerClose; r <= engineio.ReasonStalled; r++ {
		if got := reasonOf(r); got < ReasonTransportClose || got.String() == "" {
			t.Errorf("%v is %v", r, got)
		}
	}
	if got := Reason(77).String(); got != "Reason(77)" {
		t.Error(got)
	}
}
