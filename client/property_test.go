package client_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// late is a connection whose bytes arrive late, by up to a few milliseconds now and then.
type late struct {
	net.Conn
	mu sync.Mutex
	r  *rand.Rand
}

func (c *late) pause() {
	c.mu.Lock()
	n := c.r.IntN(30)
	c.mu.Unlock()
	if n < 3 {
		time.Sleep(time.Duration(n) * time.Millisecond)
	}
}

func (c *late) Read(b []byte) (int, error) {
	c.pause()
	return c.Conn.Read(b)
}

func (c *late) Write(b []byte) (int, error) {
	c.pause()
	return c.Conn.Write(b)
}

// Both ends send at random moments, of random sizes and kinds, while the session upgrades at some moment over
// connections that dawdle. All arrives, in order, once; until the close, which loses nothing of the client's.
func TestInOrderExactlyOnce(t *testing.T) {
	const sessions, messages = 40, 300
	type received struct {
		mu  sync.Mutex
		got []string
	}
	key := engineio.NewKey[*received]("received")
	sent := make(chan string, sessions)
	gone := make(chan *received, sessions)
	url, _, _ := serve(t, engineio.Config{
		MaxPayload: 5000,
		OnConnect: func(s *engineio.Session) {
			key.Set(s, &received{})
			go func() {
				r := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
				for i := range messages {
					for sendSession(s, i, r) == engineio.ErrQueueFull {
						_ = s.Flush(s.Context())
					}
					if r.IntN(20) == 0 {
						time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
					}
				}
				sent <- s.ID()
			}()
		},
		OnMessage: func(s *engineio.Session, m engineio.Message) {
			x, _ := key.Get(s)
			x.mu.Lock()
			defer x.mu.Unlock()
			x.got = append(x.got, number(m.Data))
		},
		OnDisconnect: func(s *engineio.Session, why *engineio.CloseError) {
			if why.Reason != engineio.ReasonClientClose {
				t.Errorf("session ended with %v, %v", why.Reason, why.Err)
			}
			x, _ := key.Get(s)
			gone <- x
		},
	})
	var wait sync.WaitGroup
	for i := range sessions {
		wait.Go(func() {
			r := rand.New(rand.NewPCG(2, uint64(i)))
			o := &client.Options{Revision: []client.Revision{client.V4, client.V3}[i%2], Logger: quiet}
			var dials atomic.Uint64
			o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				return &late{Conn: c, r: rand.New(rand.NewPCG(uint64(i), dials.Add(1)))}, err
			}
			o.CloseTimeout = patience
			converse(t, url, o, r, messages)
		})
	}
	wait.Wait()
	for range sessions {
		<-sent
		x := <-gone
		for i, got := range x.got {
			if got != fmt.Sprint(i) {
				t.Fatalf("the server's message %d is %q", i, got)
			}
		}
		if len(x.got) != messages {
			t.Fatalf("the server got %d messages, want %d", len(x.got), messages)
		}
	}
}

// converse sends and reads until both are complete, and closes.
func converse(t *testing.T, url string, o *client.Options, r *rand.Rand, messages int) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := client.Dial(ctx, url, o)
	if err != nil {
		t.Error(err)
		return
	}
	defer c.CloseNow()
	read := make(chan error, 1)
	go func() {
		for i := range messages {
			m, err := c.Read(ctx)
			if err == nil && number(m.Data) != fmt.Sprint(i) {
				err = fmt.Errorf("message %d is %q", i, m.Data)
			}
			if err != nil {
				read <- err
				return
			}
		}
		read <- nil
	}()
	half := r.IntN(messages)
	for i := range messages {
		if i == half {
			if err := <-read; err != nil {
				t.Error(err)
			}
		}
		m := client.Message{Data: fmt.Appendf(nil, "%d %s", i, padding[:r.IntN(200)]), Binary: r.IntN(3) == 0}
		if err := c.Send(context.Background(), m); err != nil {
			t.Error(err)
			return
		}
		if r.IntN(20) == 0 {
			time.Sleep(time.Duration(r.IntN(2000)) * time.Microsecond)
		}
	}
	if err := c.Close(); err != nil { // the rest of what we sent leaves first
		t.Error(err)
	}
	var why *client.CloseError
	if !errors.As(context.Cause(c.Context()), &why) || why.Reason != client.ReasonClientClose {
		t.Errorf("ended with %v", why)
	}
}

var padding = string(make([]byte, 200))

func sendSession(s *engineio.Session, i int, r *rand.Rand) error {
	text := fmt.Sprintf("%d %s", i, padding[:r.IntN(200)])
	if r.IntN(3) == 0 {
		return s.SendBinary([]byte(text))
	}
	return s.SendText(text)
}

func number(data []byte) string {
	var n string
	_, _ = fmt.Sscan(string(data), &n)
	return n
}
