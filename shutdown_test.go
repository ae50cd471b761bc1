package engineio_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

func TestShutdownDeliversWhatWasSent(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		clients := everyone(t, e)
		want := []codec.Packet{enginetest.Text("one"), enginetest.Text("two")}
		for s := range e.Sessions() {
			sendAll(t, s, want)
		}
		done := make(chan error, 1)
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
			defer cancel()
			done <- e.Shutdown(ctx)
		}()
		for _, c := range clients {
			expect(t, c, want...)
			if w, ok := c.(*enginetest.WebSocket); ok {
				if code := w.CloseCode(); code != 1001 {
					t.Errorf("close code %d, want 1001", code)
				}
				continue
			}
			expect(t, c, closePacket)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if e.Len() != 0 {
			t.Errorf("%d sessions after Shutdown", e.Len())
		}
		for range clients {
			e.ended(t, engineio.ReasonShutdown)
		}
	})
}

func TestHandshakeAfterShutdown(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		if err := e.Shutdown(context.Background()); err != nil {
			t.Fatal(err)
		}
		r := handshake(t, e, setup)
		if r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s %v", r.Status, r.Body, r.Header)
		}
	})
}

// Clients that do not take their last words are dropped with the context.
func TestShutdownOutOfTime(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{CloseTimeout: enginetest.Patience})
		e.polling(t, enginetest.Setup{})
		e.webSocket(t, enginetest.Setup{})
		why := errors.New("out of time")
		ctx, cancel := context.WithTimeoutCause(context.Background(), 50*time.Millisecond, why)
		defer cancel()
		if err := e.Shutdown(ctx); !errors.Is(err, why) || !strings.Contains(err.Error(), "1 session that is closing left") {
			t.Errorf("Shutdown: %v", err)
		}
		e.ended(t, engineio.ReasonShutdown)
		e.ended(t, engineio.ReasonShutdown)
	})
}

func TestTasks(t *testing.T) {
	t.Parallel()
	e := serve(t, onFasthttp, engineio.Config{})
	started, ended := make(chan struct{}), make(chan struct{})
	if err := e.Go(func(ctx context.Context) {
		close(started)
		<-ctx.Done()
		close(ended)
	}); err != nil {
		t.Fatal(err)
	}
	if err := e.Go(func(context.Context) { panic("in a task") }); err != nil {
		t.Fatal(err)
	}
	<-started
	if err := e.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	default:
		t.Error("Shutdown did not wait for the task")
	}
	if err := e.Go(func(context.Context) { t.Error("a task after Shutdown") }); !errors.Is(err, engineio.ErrShutdown) {
		t.Errorf("Go after Shutdown: %v", err)
	}
}

// The HTTP server's own Shutdown does not hang on parked polls, and ends WebSockets too.
func TestShutdownOfTheHTTPServer(t *testing.T) {
	for name, o := range map[string]enginetest.Options{"plain": {}, "TLS": {TLS: true}} {
		t.Run(name, func(t *testing.T) {
			eachStack(t, func(t *testing.T, on stack) {
				entered := make(chan struct{}, 16)
				e := serve(t, announced(on, entered), engineio.Config{CloseTimeout: time.Second}, o)
				p := e.polling(t, enginetest.Setup{})
				<-entered
				startPoll(t, p)
				<-entered // fasthttp would take a connection whose request it has not read for idle
				w := e.webSocket(t, enginetest.Setup{})
				probing := e.polling(t, enginetest.Setup{})
				half := probe(t, probing)
				shutsDown(t, e.http, func() {
					r, err := p.Get.Read("GET")
					if err != nil || string(r.Body) != "1" {
						t.Errorf("the parked poll: %+v, %v", r, err)
					}
					p.Get.Close()
					if code := w.CloseCode(); code != 1001 {
						t.Errorf("close code %d, want 1001", code)
					}
					w.Close()
					half.Close()
					probing.Close()
					p.Close()
				})
				eventually(t, "no sessions", func() bool { return e.Places() == 0 })
			})
		})
	}
}

// announced is a stack that tells of every request before the engine gets it.
func announced(on stack, entered chan<- struct{}) stack {
	if on.name == "fiber" {
		return stack{on.name, func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
			return enginetest.StartFiber(t, func(app *fiber.App) {
				app.Use(func(c *fiber.Ctx) error {
					entered <- struct{}{}
					return c.Next()
				}, eiofiber.New(srv))
			}, o)
		}}
	}
	return stack{on.name, func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		return enginetest.Start(t, func(ctx *fasthttp.RequestCtx) {
			entered <- struct{}{}
			srv.ServeFastHTTP(ctx)
		}, o)
	}}
}

// An engine that two HTTP servers serve goes on when one of them shuts down: that ends the sessions that live there and
// hangs on none of their polls. The engine ends with the other one.
func TestShutdownOfOneOfTwoHTTPServers(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		entered := make(chan struct{}, 64)
		e := serve(t, announced(on, entered), engineio.Config{CloseTimeout: time.Second})
		stay := e.bystander(t)
		stays := e.http
		e.http = announced(on, entered).start(t, e.Server, enginetest.Options{})
		parked := e.polling(t, enginetest.Setup{})
		others := []*enginetest.WebSocket{e.webSocket(t, enginetest.Setup{}), e.connect(t, enginetest.Setup{Way: enginetest.ByUpgrade}).(*enginetest.WebSocket)}
		for len(entered) > 0 {
			<-entered
		}
		startPoll(t, parked)
		<-entered // fasthttp would take a connection whose request it has not read for idle
		shutsDown(t, e.http, func() {
			if r, err := parked.Get.Read("GET"); err != nil || string(r.Body) != "1" {
				t.Errorf("the parked poll: %+v, %v", r, err)
			}
			parked.Close()
			for _, w := range others {
				if code := w.CloseCode(); code != 1001 {
					t.Errorf("close code %d, want 1001", code)
				}
				w.Close()
			}
		})
		for range 3 {
			e.ended(t, engineio.ReasonShutdown)
		}
		stay()
		e.http = stays
		fresh := e.webSocket(t, enginetest.Setup{})
		alive(t, fresh)
		shutsDown(t, e.http, func() {
			if code := fresh.CloseCode(); code != 1001 {
				t.Errorf("close code %d, want 1001", code)
			}
			fresh.Close()
		})
		eventually(t, "no sessions", func() bool { return e.Places() == 0 })
		if err := e.Go(func(context.Context) {}); !errors.Is(err, engineio.ErrShutdown) {
			t.Errorf("the engine outlives its HTTP servers: %v", err)
		}
	})
}

// shutsDown shuts an HTTP server down while its clients do what they do then.
func shutsDown(t *testing.T, server *enginetest.Server, clients func()) {
	t.Helper()
	down := make(chan error, 1)
	go func() { down <- server.Shutdown() }()
	clients()
	select {
	case err := <-down:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(enginetest.Patience):
		t.Fatal("Shutdown of the HTTP server hangs")
	}
}
