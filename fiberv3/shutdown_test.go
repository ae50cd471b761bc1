package eiofiber_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gofiber/fiber/v3"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	eiofiber "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/fibertest"
)

// app.Shutdown has the engine end first, while the app still answers: what was sent arrives, then the close, on every
// transport.
func TestOnPreShutdown(t *testing.T) {
	for _, way := range enginetest.Ways {
		t.Run(string(way), func(t *testing.T) {
			ended := make(chan engineio.Reason, 1)
			srv := fibertest.NewEngine(t, engineio.Config{
				OnDisconnect: func(_ *engineio.Session, why *engineio.CloseError) { ended <- why.Reason },
			})
			app := fiber.New()
			app.Use(eiofiber.New(srv))
			app.Hooks().OnPreShutdown(eiofiber.OnPreShutdown(srv, enginetest.Patience))
			server := enginetest.Serve(t, enginetest.Options{}, app.Server(), quietly(app), app.Shutdown)
			c := enginetest.Connect(t, server, enginetest.Setup{Way: way})
			for s := range srv.Sessions() {
				if err := s.SendText("last words"); err != nil {
					t.Fatal(err)
				}
			}
			down := make(chan error, 1)
			go func() { down <- app.Shutdown() }()
			if p, err := enginetest.Next(c); err != nil || string(p.Data) != "last words" {
				t.Errorf("%v, %v", p, err)
			}
			p, err := enginetest.Next(c)
			if ws, ok := c.(*enginetest.WebSocket); ok {
				if code := ws.CloseCode(); code != 1001 {
					t.Errorf("closed by %d, want 1001", code)
				}
			} else if err != nil || p.Type != codec.Close {
				t.Errorf("%v, %v, want the close", p, err)
			}
			if why := <-ended; why != engineio.ReasonShutdown {
				t.Errorf("ended by %v", why)
			}
			c.Close()
			if err := <-down; err != nil {
				t.Error(err)
			}
		})
	}
}

// The hook takes no longer than it may.
func TestOnPreShutdownIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := engineio.New(engineio.Config{})
		srv.Go(func(context.Context) { time.Sleep(time.Minute) })
		begun := time.Now()
		err := eiofiber.OnPreShutdown(srv, 5*time.Second)()
		if took := time.Since(begun); took != 5*time.Second || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("after %v: %v", took, err)
		}
		time.Sleep(time.Minute)
	})
}
