package client_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// Connections break again and again; the client comes back, and what it sends arrives in order, nothing twice.
func TestReconnect(t *testing.T) {
	got := make(chan string, 1000)
	url, l, _ := serve(t, engineio.Config{
		OnConnect: func(s *engineio.Session) { _ = s.SendText("welcome " + s.ID()) },
		OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- string(m.Data) },
	})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		attempts := make(chan client.Attempt, 100)
		o.Reconnect = &client.ReconnectOptions{Backoff: time.Millisecond, OnAttempt: func(a client.Attempt) error {
			attempts <- a
			return nil
		}}
		c := dial(t, url, o)
		ids := make(map[string]bool)
		n := 0
		for range 4 {
			id := c.ID()
			wantText(t, c, "welcome "+id)
			if ids[id] {
				t.Error("the same session")
			}
			ids[id] = true
			upgraded(t, c, m.final)
			must(t, c.SendText(background(t), fmt.Sprint(n)))
			if text := <-got; text != fmt.Sprint(n) {
				t.Errorf("message %d is %q", n, text)
			}
			n++
			var a client.Attempt
			for a.Number == 0 {
				l.hangUp() // between two polls this breaks nothing: the next one comes on a fresh connection
				select {
				case a = <-attempts:
				case <-time.After(500 * time.Millisecond):
				}
			}
			var why *client.CloseError
			if a.Number != 1 || !errors.As(a.Err, &why) {
				t.Errorf("attempt %+v", a)
			}
			for c.ID() == "" || c.ID() == id {
				time.Sleep(time.Millisecond)
			}
		}
		must(t, c.Close())
		wantReason(t, c, client.ReasonClientClose)
	})
}

// A server that drains says when to come back, and is not asked before.
func TestReconnectHeedsRetryAfter(t *testing.T) {
	for _, transport := range []client.Transport{client.Polling, client.WebSocket} {
		t.Run(transport.String(), func(t *testing.T) {
			url, _, srv := serve(t, engineio.Config{})
			attempts := make(chan client.Attempt, 2)
			enough := errors.New("enough")
			c := dial(t, url, &client.Options{
				Transports: []client.Transport{transport},
				Reconnect: &client.ReconnectOptions{Backoff: time.Millisecond, OnAttempt: func(a client.Attempt) error {
					if attempts <- a; a.Number == 2 {
						return enough
					}
					return nil
				}},
			})
			must(t, srv.Drain(background(t), 0))
			<-attempts
			second := <-attempts
			var refused *client.ResponseError
			if !errors.As(second.Err, &refused) || refused.Status != 503 || refused.RetryAfter < time.Second ||
				second.Wait < refused.RetryAfter {
				t.Errorf("%+v, behind %+v", second, refused)
			}
			if _, err := c.Read(background(t)); !errors.Is(err, enough) {
				t.Error(err)
			}
		})
	}
}

// The calls of Run come one at a time and in order.
func TestRun(t *testing.T) {
	url, _, srv := serve(t, engineio.Config{OnConnect: func(s *engineio.Session) { _ = s.SendText("welcome") }})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.Reconnect = &client.ReconnectOptions{Backoff: time.Millisecond}
		c := dial(t, url, o)
		var busy atomic.Bool
		var story []string
		note := func(what string) func() {
			if !busy.CompareAndSwap(false, true) {
				t.Error("calls overlap")
			}
			story = append(story, what)
			return func() { busy.Store(false) }
		}
		sessions := 0
		var last *client.CloseError
		step := func(c *client.Client) { // at the end of each session's beginning
			if sessions++; sessions == 1 {
				s, _ := srv.Session(c.ID())
				for s.Transport().String() != m.final.String() { // the server's side of the upgrade
					time.Sleep(time.Millisecond)
				}
				s.Close()
				return
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		}
		messages, upgrades := 0, 0
		ready := func(c *client.Client) {
			if messages > sessions && (m.name[:7] != "upgrade" || upgrades > sessions) {
				step(c)
			}
		}
		err := c.Run(background(t), client.Handler{
			OnConnect: func(*client.Client) { defer note("connect")() },
			OnMessage: func(c *client.Client, m client.Message) {
				defer note(string(m.Data))()
				messages++
				ready(c)
			},
			OnUpgrade: func(c *client.Client) {
				defer note("upgrade")()
				upgrades++
				ready(c)
			},
			OnDisconnect: func(_ *client.Client, why *client.CloseError) {
				defer note("disconnect")()
				last = why
			},
		})
		must(t, err)
		want := "[connect welcome disconnect connect welcome disconnect]"
		if m.name[:7] == "upgrade" {
			want = "[connect welcome upgrade disconnect connect welcome upgrade disconnect]"
		}
		if got := fmt.Sprint(story); got != want {
			t.Errorf("%v, want %v", got, want)
		}
		if last == nil || last.Reason != client.ReasonClientClose {
			t.Errorf("ended with %v", last)
		}
	})
}

func TestRunEnds(t *testing.T) {
	url, l, _ := serve(t, engineio.Config{})
	c := dial(t, url, nil)
	l.kill()
	var why *client.CloseError
	if err := c.Run(background(t), client.Handler{}); !errors.As(err, &why) || !errors.Is(err, client.ErrClosed) {
		t.Errorf("got %v", err)
	}
}
