package socketio

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

// A handler may wait for its own client.
func TestCallInHandler(t *testing.T) {
	s := serve(t, Config{}, func(sio *Server) {
		n := sio.Of("/")
		n.On("go", func(s *Socket, args *Args) {
			ctx, cancel := context.WithTimeout(s.Context(), patience)
			defer cancel()
			sum, err := Call[int](ctx, s, "add", 1, 2)
			if err != nil {
				t.Error(err)
			}
			_ = args.Ack(sum)
		})
	})
	c := dial(t, s)
	c.join("/")
	for i := range 3 {
		c.send(`2` + itoa(i) + `["go"]`)
		id := itoa(i + 1)
		c.want(`2` + id + `["add",1,2]`)
		c.send(`399[]`, `3`+id+`[`+id+`]`, `3`+id+`[9]`)
		c.want(`3` + itoa(i) + `[` + id + `]`)
	}
}

func TestCallWithAttachments(t *testing.T) {
	answer := make(chan []byte, 1)
	s := serve(t, Config{}, func(sio *Server) {
		sio.Of("/").OnConnect(func(s *Socket) {
			b, err := Call[[]byte](s.Context(), s, "reverse", []byte{1, 2})
			if err != nil {
				t.Error(err)
			}
			answer <- b
		})
	})
	c := dial(t, s)
	c.join("/")
	c.want(`51-1["reverse",{"_placeholder":true,"num":0}]`, "b\x01\x02")
	c.send(`61-1[{"_placeholder":true,"num":0}]`)
	c.sendBinary(2, 1)
	if b := soon(t, answer); string(b) != "\x02\x01" {
		t.Error(b)
	}
}

func TestCallEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end  func(c *client, s *Socket, cancel func())
		want error
	}{
		"context":    {func(_ *client, _ *Socket, cancel func()) { cancel() }, context.Canceled},
		"left":       {func(c *client, _ *Socket, _ func()) { c.send(`1`) }, ErrClosed},
		"gone":       {func(c *client, _ *Socket, _ func()) { c.Close() }, ErrClosed},
		"expelled":   {func(_ *client, s *Socket, _ func()) { s.Disconnect(false) }, ErrClosed},
		"wrong type": {func(c *client, _ *Socket, _ func()) { c.send(`31["x"]`) }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sockets := make(chan *Socket, 1)
			failed := make(chan error, 1)
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			s := serve(t, Config{}, func(sio *Server) {
				sio.Of("/").OnConnect(func(s *Socket) {
					sockets <- s
					_, err := Call[int](ctx, s, "q")
					failed <- err
				})
			})
			cl := dial(t, s)
			cl.join("/")
			cl.want(`21["q"]`)
			c.end(cl, soon(t, sockets), cancel)
			if err := soon(t, failed); err == nil || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("the call fails with %v", err)
			}
		})
	}
}

// A full queue holds up the client, so no acknowledgement can come: calls fail, rather than wait for ever. Without
// that the handler would wait for what stands behind the events that wait for it.
func TestCallIsBusy(t *testing.T) {
	for _, other := range []string{"/", "/other"} {
		t.Run(other, func(t *testing.T) {
			t.Parallel()
			asked := make(chan error, 1)
			hold := make(chan struct{})
			s := serve(t, Config{MaxPending: 2}, func(sio *Server) {
				others := make(chan *Socket, 1)
				sio.Of("/other").OnConnect(func(s *Socket) { others <- s })
				sio.Of("/").On("go", func(s *Socket, _ *Args) {
					to := s
					if other != "/" {
						to = <-others
					}
					_, err := to.Call(context.Background(), "q")
					asked <- err
					_, err = to.Call(context.Background(), "q")
					asked <- err
					<-hold
				})
				On(sio.Of("/"), "n", func(s *Socket, n int) { _ = s.Emit("n", n) })
			})
			c := dial(t, s)
			c.join("/other", "/")
			c.send(`2["go"]`)
			c.next() // q
			for i := range 10 {
				c.send(`2["n",` + itoa(i) + `]`)
			}
			for range 2 {
				if err := soon(t, asked); !errors.Is(err, ErrBusy) {
					t.Errorf("the call fails with %v", err)
				}
			}
			close(hold)
			for i := range 10 {
				c.want(`2["n",` + itoa(i) + `]`)
			}
		})
	}
}

// A session that ends while its reader waits for room is not held up by that.
func TestGoneWhileBlocked(t *testing.T) {
	hold := make(chan struct{})
	gone := make(chan Reason, 1)
	config := Config{MaxPending: 1}
	config.Engine.PingInterval, config.Engine.PingTimeout = 50*time.Millisecond, 50*time.Millisecond // what is written tells that nobody is there
	s := serve(t, config, func(sio *Server) {
		n := sio.Of("/")
		n.On("go", func(s *Socket, _ *Args) {
			<-s.Context().Done()
			<-hold
		})
		n.OnDisconnect(func(_ *Socket, r Reason) { gone <- r })
	})
	c := dial(t, s)
	c.join("/")
	for range 8 {
		c.send(`2["go"]`)
	}
	c.Close()
	close(hold)
	if r := soon(t, gone); r != ReasonTransportClose {
		t.Error(r)
	}
}

func TestLateAck(t *testing.T) {
	kept := make(chan *Args, 1)
	s := serve(t, Config{}, func(sio *Server) {
		sio.Of("/").On("go", func(_ *Socket, args *Args) { kept <- args })
	})
	c := dial(t, s)
	c.join("/")
	c.send(`25["go"]`)
	args := soon(t, kept)
	time.AfterFunc(time.Millisecond, func() { _ = args.Ack("late") })
	c.want(`35["late"]`)
	c.send(`26["go"]`, `1`)
	args = soon(t, kept)
	<-args.socket.Context().Done()
	if err := args.Ack(); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}
