package client_test

import (
	"errors"
	"fmt"
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
