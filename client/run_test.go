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
