package eiofiber_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/requestid"
	"github.com/gofiber/fiber/v3/middleware/session"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/fibertest"
)

// What Fiber's own middlewares keep below keys of their own is there in the handshake, by the request and by its Ctx.
func TestValuesOfFibersMiddlewares(t *testing.T) {
	look := func(from any) error {
		if id := requestid.FromContext(from); id != "request 7" {
			return errors.New("request id " + id)
		}
		if m := session.FromContext(from); m == nil || m.Get("user") != "Ada" {
			return errors.New("no session, or another")
		}
		return nil
	}
	for name, hook := range map[string]fibertest.Hook{
		"request": func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error { return look(ctx) },
		"Ctx":     eiofiber.OnHandshake(func(_ *engineio.Session, c fiber.Ctx) error { return look(c) }),
	} {
		t.Run(name, func(t *testing.T) {
			srv := fibertest.NewEngine(t, engineio.Config{OnHandshake: hook})
			app := fiber.New()
			app.Use(requestid.New(), session.New(session.Config{Storage: forgetful{}}))
			app.Use(func(c fiber.Ctx) error {
				session.FromContext(c).Set("user", c.Get("X-User"))
				return c.Next()
			})
			app.Use(eiofiber.New(srv))
			server := enginetest.Serve(t, enginetest.Options{}, app.Server(), quietly(app), app.Shutdown)
			for _, way := range enginetest.Ways {
				fibertest.Echoed(t, server, enginetest.Setup{Way: way, Header: []string{"X-User: Ada", "X-Request-ID: request 7"}})
			}
			r, err := server.HTTP().Do("GET", "/engine.io/?EIO=4&transport=polling", nil, "X-User: Eve", "X-Request-ID: request 7")
			if err != nil || r.Status != 403 {
				t.Errorf("a stranger is answered %+v, %v", r, err)
			}
		})
	}
}

// forgetful keeps nothing. The storage that Fiber makes itself has goroutines that never end.
type forgetful struct{ fiber.Storage }

func (forgetful) GetWithContext(context.Context, string) ([]byte, error)              { return nil, nil }
func (forgetful) SetWithContext(context.Context, string, []byte, time.Duration) error { return nil }
