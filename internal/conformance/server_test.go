package conformance_test

import (
	"context"
	"log/slog"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// serveEcho starts a server that echoes on each stack and runs f against it. What config leaves out is large.
func serveEcho(t *testing.T, config engineio.Config, o enginetest.Options, f func(t *testing.T, s *enginetest.Server)) {
	t.Helper()
	config.Logger = slog.New(slog.DiscardHandler)
	config.MaxQueuedBytes = 64 << 20
	if config.MaxPayload == 0 {
		config.MaxPayload = 8 << 20
	}
	config.OnMessage = func(s *engineio.Session, m engineio.Message) {
		if m.Binary {
			_ = s.SendBinary(m.Data) // fails when the session has ended
		} else {
			_ = s.SendText(string(m.Data))
		}
	}
	o.MaxRequestBodySize = config.MaxPayload
	for name, start := range map[string]func(*engineio.Server) *enginetest.Server{
		"fasthttp": func(srv *engineio.Server) *enginetest.Server { return enginetest.Start(t, srv.Handler(nil), o) },
		"fiber": func(srv *engineio.Server) *enginetest.Server {
			return enginetest.StartFiber(t, func(app *fiber.App) { app.Use(eiofiber.New(srv)) }, o)
		},
	} {
		srv := engineio.New(config)
		s := start(srv)
		t.Cleanup(func() { shutDown(t, srv) })
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f(t, s)
		})
	}
}

// shutDown fails when something of srv outlives its clients.
func shutDown(t *testing.T, srv *engineio.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil || srv.Len() != 0 {
		t.Errorf("Shutdown: %v, %d sessions are left", err, srv.Len())
	}
}
