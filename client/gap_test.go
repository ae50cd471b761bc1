package client_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

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

// What was queued between two sessions leaves while OnConnect waits for that.
func TestOnConnectMayWaitForTheQueue(t *testing.T) {
	for name, wait := range map[string]func(context.Context, *client.Client) error{
		"Flush": func(ctx context.Context, c *client.Client) error { return c.Flush(ctx) },
		"send":  func(ctx context.Context, c *client.Client) error { return c.SendText(ctx, "hello, it is me") },
	} {
		t.Run(name, func(t *testing.T) {
			eachTransport(t, func(t *testing.T, transport client.Transport) {
				done := make(chan error, 1)
				c, end := inGap(t, engineio.Config{}, transport, client.Options{MaxQueuedBytes: 100, Reconnect: &client.ReconnectOptions{
					OnReconnect: func(c *client.Client) { done <- wait(background(t), c) },
				}})
				must(t, c.SendText(background(t), strings.Repeat("x", 90)))
				end()
				must(t, <-done)
			})
		})
	}
}

// What the server would refuse is refused between two sessions too, and what it takes is taken.
func TestSendsBetweenSessionsAreChecked(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		got := make(chan string, 10)
		config := engineio.Config{MaxPayload: 1000, OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- string(m.Data) }}
		c, end := inGap(t, config, transport, client.Options{})
		ctx := background(t)
		if err := c.SendText(ctx, strings.Repeat("x", 1000)); !errors.Is(err, client.ErrTooBig) {
			t.Error(err)
		}
		longest := strings.Repeat("x", 999)
		must(t, c.SendText(ctx, longest))
		separated, err := "a\x1eb", error(nil)
		if transport == client.Polling {
			separated, err = "ab", client.ErrInvalidText
		}
		if sent := c.SendText(ctx, "a\x1eb"); !errors.Is(sent, err) {
			t.Errorf("%v, want %v", sent, err)
		}
		if err := c.SendText(ctx, "\xff"); !errors.Is(err, client.ErrInvalidText) {
			t.Error(err)
		}
		if transport == client.Polling {
			must(t, c.SendText(ctx, separated))
		}
		end()
		for _, want := range []string{longest, separated} {
			if text := <-got; text != want {
				t.Errorf("%.10q of %d bytes", text, len(text))
			}
		}
	})
}

// A binary message of exactly maxPayload fits into a WebSocket message, and none more.
func TestLargestBinary(t *testing.T) {
	got := make(chan int, 1)
	url, _, _ := serve(t, engineio.Config{MaxPayload: 1000, OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- len(m.Data) }})
	for transport, most := range map[client.Transport]int{client.WebSocket: 1000, client.Polling: 747} { // "b" and base64
		c := dial(t, url, &client.Options{Transports: []client.Transport{transport}})
		must(t, c.SendBinary(background(t), make([]byte, most)))
		if n := <-got; n != most {
			t.Errorf("%v: %d bytes", transport, n)
		}
		if err := c.SendBinary(background(t), make([]byte, most+1)); !errors.Is(err, client.ErrTooBig) {
			t.Errorf("%v: %v", transport, err)
		}
	}
}

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

// A loss between the send and the Flush is told, once.
func TestFlushTellsOfWhatWasLostBefore(t *testing.T) {
	url, l, _ := serve(t, engineio.Config{})
	c := dial(t, url, &client.Options{Transports: polling})
	_ = l.Listener.Close() // a POST comes on a fresh connection
	must(t, c.SendText(background(t), "lost"))
	<-c.Context().Done()
	if err := c.Flush(background(t)); !errors.Is(err, client.ErrClosed) {
		t.Errorf("Flush behind a loss: %v", err)
	}
	must(t, c.Flush(background(t)))
}

// What waits for the next session, in whatever callback, does not keep it from coming.
func TestCallbacksThatWaitForTheNextSession(t *testing.T) {
	late := func(t *testing.T, sessions *atomic.Int32, n int32, c *client.Client) {
		t.Helper()
		for end := time.Now().Add(patience); sessions.Load() < n; time.Sleep(time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d sessions, and no other comes; the id is %q:\n%s", sessions.Load(), c.ID(), strangers("engineio/client."))
			}
		}
	}
	t.Run("OnMessage", func(t *testing.T) { // with an inbox and a queue that are full
		lose := make(chan struct{})
		var polls, sessions atomic.Int32
		r := &raw{handshake: func(*fasthttp.RequestCtx) { sessions.Add(1) }}
		r.get = func(ctx *fasthttp.RequestCtx) {
			if polls.Add(1) == 1 {
				ctx.SetBodyString("4a\x1e4b\x1e4c\x1e4d")
			} else {
				<-r.end
			}
		}
		r.post = func(ctx *fasthttp.RequestCtx) {
			if sessions.Load() == 1 {
				<-lose
				hangUp(ctx)
			}
		}
		c := dial(t, r.start(t), &client.Options{
			Transports: polling, MaxReceivedBytes: 1, MaxQueuedBytes: 1, Reconnect: &client.ReconnectOptions{Backoff: time.Millisecond},
		})
		var once sync.Once
		go func() {
			_ = c.Run(context.Background(), client.Handler{OnMessage: func(c *client.Client, m client.Message) {
				for range 3 {
					_ = c.SendText(context.Background(), "out")
					once.Do(func() { time.AfterFunc(50*time.Millisecond, func() { close(lose) }) })
				}
			}})
		}()
		late(t, &sessions, 2, c)
	})
	t.Run("OnConnect", func(t *testing.T) { // of a session that is lost meanwhile
		var sessions atomic.Int32
		r := &raw{handshake: func(*fasthttp.RequestCtx) { sessions.Add(1) }}
		r.get = func(ctx *fasthttp.RequestCtx) {
			if sessions.Load() == 1 {
				hangUp(ctx)
			} else {
				<-r.end
			}
		}
		r.post = func(ctx *fasthttp.RequestCtx) {
			if sessions.Load() < 3 {
				ctx.Error("gone", 400)
			}
		}
		c := dial(t, r.start(t), &client.Options{
			Transports: polling,
			Reconnect: &client.ReconnectOptions{Backoff: time.Millisecond, OnReconnect: func(c *client.Client) {
				for range 2 {
					_ = c.SendText(context.Background(), "subscribe")
					_ = c.Flush(context.Background())
				}
			}},
		})
		late(t, &sessions, 3, c)
	})
}
