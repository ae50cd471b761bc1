package client_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// Every session begins with the greeting, whoever else sends.
func TestGreeting(t *testing.T) {
	type message struct{ id, text string }
	inEachMode(t, func(t *testing.T, m mode) {
		got := make(chan message, 10_000)
		url, l, _ := serve(t, engineio.Config{OnMessage: func(s *engineio.Session, m engineio.Message) {
			got <- message{s.ID(), string(m.Data)}
		}})
		o := m.options()
		o.Reconnect = &client.ReconnectOptions{Backoff: time.Millisecond}
		token := []byte("token")
		o.Greeting = func(context.Context) ([]client.Message, error) {
			return []client.Message{{Data: token}, {Data: []byte{1}, Binary: true}}, nil
		}
		c := dial(t, url, o)
		ctx, stop := context.WithCancel(background(t))
		var others sync.WaitGroup
		for range 3 {
			others.Go(func() {
				for c.SendText(ctx, "data") == nil {
					time.Sleep(100 * time.Microsecond)
				}
			})
		}
		seen := make(map[string]int)
		next := func() {
			m := <-got
			n := seen[m.id]
			if n < 2 && m.text != []string{"token", "\x01"}[n] || n >= 2 && m.text != "data" {
				t.Errorf("message %d of a session is %q", n, m.text)
			}
			seen[m.id]++
		}
		for len(seen) < 5 || seen[c.ID()] < 3 {
			if next(); seen[c.ID()] > 3 && len(seen) < 5 {
				l.hangUp()
			}
		}
		stop()
		others.Wait()
		c.CloseNow()
		for len(got) > 0 {
			next()
		}
	})
}

func TestGreetingThatFails(t *testing.T) {
	url, _, srv := serve(t, engineio.Config{MaxPayload: 100})
	no := errors.New("no token")
	_, err := client.Dial(background(t), url, &client.Options{
		Greeting: func(context.Context) ([]client.Message, error) { return nil, no },
	})
	if !errors.Is(err, no) {
		t.Error(err)
	}
	_, err = client.Dial(background(t), url, &client.Options{
		Greeting: func(context.Context) ([]client.Message, error) { return []client.Message{{Data: []byte("\xff")}}, nil },
	})
	if !errors.Is(err, client.ErrInvalidText) {
		t.Error(err)
	}
	if n := srv.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}
