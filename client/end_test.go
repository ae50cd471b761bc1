package client_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

func TestServerCloses(t *testing.T) {
	url, _, srv := serve(t, engineio.Config{})
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url, m.options())
		upgraded(t, c, m.final)
		s, _ := srv.Session(c.ID())
		for s.Transport().String() != m.final.String() { // the server's side of the upgrade
			time.Sleep(time.Millisecond)
		}
		must(t, s.SendText("last words"))
		s.Close()
		wantReason(t, c, client.ReasonServerClose)
		wantText(t, c, "last words")
		if _, err := c.Read(background(t)); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
		if err := c.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		if c.ID() != "" || c.Transport() != 0 {
			t.Errorf("a session is left: %q on %v", c.ID(), c.Transport())
		}
	})
}

func TestServerIsKilled(t *testing.T) {
	inEachMode(t, func(t *testing.T, m mode) {
		url, l, _ := serve(t, engineio.Config{})
		c := dial(t, url, m.options())
		upgraded(t, c, m.final)
		l.kill()
		wantReason(t, c, client.ReasonTransportClose)
		if err := c.SendText(background(t), "hello?"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("send: %v", err)
		}
	})
}

// What was sent before Close arrives, and the server learns that it was a goodbye.
func TestCloseIsGraceful(t *testing.T) {
	const n = 5000
	type end struct {
		got    int
		reason engineio.Reason
	}
	ends := make(chan end, 1)
	key := engineio.NewKey[*int]("count")
	url, _, _ := serve(t, engineio.Config{
		MaxPayload: 4000, // many POSTs
		OnConnect:  func(s *engineio.Session) { key.Set(s, new(int)) },
		OnMessage:  func(s *engineio.Session, _ engineio.Message) { count, _ := key.Get(s); *count++ },
		OnDisconnect: func(s *engineio.Session, r engineio.Reason, _ error) {
			count, _ := key.Get(s)
			ends <- end{*count, r}
		},
	})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.CloseTimeout = patience
		c := dial(t, url, o)
		for i := range n {
			must(t, c.SendText(background(t), fmt.Sprint("message ", i)))
		}
		must(t, c.Close())
		wantReason(t, c, client.ReasonClientClose)
		if got := <-ends; got.got != n || got.reason != engineio.ReasonClientClose {
			t.Errorf("the server got %d messages and %q, want %d", got.got, got.reason, n)
		}
	})
}

// The end of everything is immediate, whatever is under way, and nothing is left behind.
func TestCloseNow(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{})
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url, m.options())
		upgraded(t, c, m.final)
		var wait sync.WaitGroup
		wait.Go(func() { _, _ = c.Read(context.Background()) })
		start := time.Now()
		c.CloseNow()
		took := time.Since(start)
		if took > time.Second {
			t.Errorf("took %v", took)
		}
		t.Logf("took %v", took)
		wait.Wait()
		wantReason(t, c, client.ReasonClientClose)
		c.CloseNow()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyClosers(t *testing.T) {
	url, _, _ := serve(t, echo)
	inEachMode(t, func(t *testing.T, m mode) {
		for range 10 {
			c := dial(t, url, m.options())
			var wait sync.WaitGroup
			for i := range 6 {
				wait.Go(func() {
					if i%3 == 0 {
						c.CloseNow()
					} else if i%3 == 1 {
						_ = c.Close()
					} else {
						_ = c.SendText(context.Background(), "x")
					}
				})
			}
			wait.Wait()
			wantReason(t, c, client.ReasonClientClose)
		}
	})
}

// An application that does not read is held back, and is not told that the server is silent.
func TestNobodyReads(t *testing.T) {
	url, _, srv := serve(t, engineio.Config{PingInterval: 50 * time.Millisecond, PingTimeout: patience})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.MaxReceivedBytes = 1
		c := dial(t, url, o)
		s, _ := srv.Session(c.ID())
		for i := range 100 {
			must(t, s.SendText(fmt.Sprint(i)))
		}
		for i := range 100 {
			wantText(t, c, fmt.Sprint(i))
		}
		must(t, s.SendText("unread"))
		must(t, s.SendText("unread"))
		must(t, c.Close()) // is not held back
	})
}

func TestContexts(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{})
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := client.Dial(ctx, url, nil); !errors.Is(err, cause) {
		t.Errorf("Dial: %v", err)
	}
	c := dial(t, url, nil)
	if _, err := c.Read(ctx); !errors.Is(err, cause) {
		t.Errorf("Read: %v", err)
	}
	if err := c.SendText(ctx, "x"); !errors.Is(err, cause) {
		t.Errorf("SendText: %v", err)
	}
	if err := c.Flush(ctx); !errors.Is(err, cause) {
		t.Errorf("Flush: %v", err)
	}
	if err := c.SendText(context.Background(), "x"); err != nil {
		t.Errorf("the context of a call ends the call, not the client: %v", err)
	}
	must(t, c.Flush(background(t)))
}
