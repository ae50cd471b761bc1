package client_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

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
