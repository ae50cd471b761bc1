package engineio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

const healthPath = "/healthz"

// withHealth is a stack that also serves the engine's health.
func withHealth(on stack) stack {
	if on.name == onFiber.name {
		return stack{on.name, func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
			return enginetest.StartFiber(t, func(app *fiber.App) {
				app.Use(eiofiber.New(srv))
				app.Get(healthPath, eiofiber.Health(srv))
			}, o)
		}}
	}
	return stack{on.name, func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		return enginetest.Start(t, srv.Handler(func(ctx *fasthttp.RequestCtx) {
			if string(ctx.Path()) == healthPath {
				srv.ServeHealth(ctx)
			}
		}), o)
	}}
}

// healthy checks what a load balancer is told, by GET and HEAD, and what becomes of a handshake.
func healthy(t *testing.T, e *engine, when string, want bool) {
	t.Helper()
	status, body := 503, "draining\n"
	if want {
		status, body = 200, "ok\n"
	}
	for _, method := range []string{"GET", "HEAD"} {
		h := e.http.HTTP()
		r, err := h.Do(method, healthPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		h.Close()
		if method == "HEAD" {
			body = ""
		}
		if r.Status != status || string(r.Body) != body || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s is answered %d %q %v, want %d %q", when, method, r.Status, r.Body, r.Header, status, body)
		}
	}
	for _, way := range []enginetest.Way{enginetest.ByPolling, enginetest.ByWebSocket} {
		if r := handshake(t, e, enginetest.Setup{Way: way}); r.Status != status {
			t.Errorf("%s: a handshake by %s is answered %d, want %d", when, way, r.Status, status)
		}
	}
}

// draining waits until the engine says that it is.
func draining(t *testing.T, e *engine) {
	t.Helper()
	h := e.http.HTTP()
	defer h.Close()
	eventually(t, "not healthy", func() bool {
		r, err := h.Do("GET", healthPath, nil)
		return err == nil && r.Status == 503
	})
}

func TestHealthOfADrain(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, withHealth(on), engineio.Config{})
		healthy(t, e, "before", true)
		p := e.polling(t, enginetest.Setup{})
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		result := make(chan error, 1)
		go func() { result <- e.Drain(ctx, time.Hour) }()
		draining(t, e)
		healthy(t, e, "during the drain", false)
		alive(t, p)
		cancel()
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("Drain: %v", err)
		}
		healthy(t, e, "after the drain was given up", false)
		alive(t, p)
	})
}

func TestHealthOfAShutdown(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, withHealth(on), engineio.Config{CloseTimeout: enginetest.Patience})
		healthy(t, e, "before", true)
		for s := range e.Sessions() {
			s.CloseNow()
		}
		p := e.polling(t, enginetest.Setup{})
		result := make(chan error, 1)
		go func() { result <- e.Shutdown(context.Background()) }()
		draining(t, e)
		healthy(t, e, "during Shutdown", false)
		expect(t, p, closePacket)
		if err := <-result; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		healthy(t, e, "after Shutdown", false)
	})
}
