package client_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// inGap dials, and hangs up as soon as the session is open. The next one is opened by end.
func inGap(t *testing.T, config engineio.Config, transport client.Transport, o client.Options) (c *client.Client, end func()) {
	t.Helper()
	url, l, _ := serve(t, config)
	gap := make(chan struct{})
	o.Transports = []client.Transport{transport}
	r := client.ReconnectOptions{}
	if o.Reconnect != nil {
		r = *o.Reconnect
	}
	r.Backoff, r.OnAttempt = time.Millisecond, func(client.Attempt) error {
		<-gap
		return nil
	}
	o.Reconnect = &r
	c = dial(t, url, &o)
	end = sync.OnceFunc(func() { close(gap) })
	t.Cleanup(end)
	for c.ID() != "" {
		l.hangUp()
		time.Sleep(time.Millisecond)
	}
	return c, end
}

func eachTransport(t *testing.T, f func(t *testing.T, transport client.Transport)) {
	for _, transport := range both {
		t.Run(transport.String(), func(t *testing.T) { f(t, transport) })
	}
}

func TestReconnectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		var starts []time.Duration
		var failed []error
		var lost time.Time
		again := make(chan struct{})
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{
			DialContext: p.dial, Logger: quiet, Transports: polling,
			Reconnect: &client.ReconnectOptions{
				Jitter: -1, MaxBackoff: 10 * time.Second,
				OnAttempt: func(a client.Attempt) error {
					if a.Number != len(starts)+1 {
						t.Errorf("attempt %d, want %d", a.Number, len(starts)+1)
					}
					starts = append(starts, time.Since(lost)+a.Wait)
					failed = append(failed, a.Err)
					if a.Number == 6 {
						p.fall(false)
					}
					return nil
				},
				OnReconnect: func(*client.Client) { close(again) },
			},
		})
		must(t, err)
		synctest.Wait()
		lost = time.Now()
		p.fall(true)
		synctest.Wait()
		must(t, c.SendText(t.Context(), "meanwhile"))
		<-again
		must(t, c.Flush(t.Context()))
		want := []time.Duration{1, 3, 7, 15, 25, 35}
		for i, w := range want {
			if i >= len(starts) || starts[i] != w*time.Second {
				t.Errorf("attempts begin at %v, want %v", starts, want)
				break
			}
		}
		var why *client.CloseError
		if !errors.As(failed[0], &why) || why.Reason != client.ReasonTransportClose || errors.As(failed[1], &why) {
			t.Errorf("the reasons are %v", failed)
		}
		if got := strings.Join(p.heard, " "); got != "4meanwhile" {
			t.Errorf("the server heard %q", got)
		}
		c.CloseNow()
		p.tasks.Wait()
	})
}

func TestReconnectGivesUp(t *testing.T) {
	enough := errors.New("enough")
	for name, r := range map[string]client.ReconnectOptions{
		"by number":   {MaxAttempts: 4, RefuseSends: true},
		"by callback": {OnAttempt: func(a client.Attempt) error { return map[bool]error{true: enough}[a.Number == 5] }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pipes{}
				c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{DialContext: p.dial, Logger: quiet, Reconnect: &r})
				must(t, err)
				start := time.Now()
				p.fall(true)
				synctest.Wait()
				err = c.SendText(t.Context(), "x")
				if want := map[bool]error{true: client.ErrNotConnected}[r.RefuseSends]; !errors.Is(err, want) {
					t.Errorf("send: %v, want %v", err, want)
				}
				<-c.Context().Done()
				if took := time.Since(start); took < 7*time.Second || took > 23*time.Second { // 15 s, jitter
					t.Errorf("gave up after %v", took)
				}
				if r.OnAttempt != nil && !errors.Is(context.Cause(c.Context()), enough) {
					t.Errorf("ended with %v", context.Cause(c.Context()))
				}
				p.tasks.Wait()
			})
		})
	}
}

func TestCloseBetweenSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{DialContext: p.dial, Logger: quiet, Reconnect: &client.ReconnectOptions{}})
		must(t, err)
		p.fall(true)
		synctest.Wait()
		must(t, c.SendText(t.Context(), "x"))
		start := time.Now()
		if err := c.Close(); err == nil || !strings.Contains(err.Error(), "1 messages") {
			t.Errorf("Close: %v", err)
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
		p.tasks.Wait()
	})
}

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
