package eiofiber_test

import (
	"net"
	"net/http"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/gofiber/fiber/v3/middleware/recover"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/internal/fibertest"
)

func TestMiddleware(t *testing.T) { fibertest.Run(t, kit) }

var kit = fibertest.Kit{
	NewApp: newApp,
	Engine: func(srv *engineio.Server, path string, next func(fibertest.Ctx) bool) fibertest.Handler {
		config := eiofiber.Config{Path: path}
		if next != nil {
			config.Next = func(c fiber.Ctx) bool { return next(c) }
		}
		return eiofiber.New(srv, config)
	},
	EngineByDefault: func(srv *engineio.Server) fibertest.Handler { return eiofiber.New(srv, eiofiber.ConfigDefault) },
	EngineAlone:     func(srv *engineio.Server) fibertest.Handler { return eiofiber.New(srv) },
	Health:          func(srv *engineio.Server) fibertest.Handler { return eiofiber.Health(srv) },
	OnHandshake: func(hook func(*engineio.Session, fibertest.Ctx) error) fibertest.Hook {
		if hook == nil {
			return eiofiber.OnHandshake(nil)
		}
		return eiofiber.OnHandshake(func(s *engineio.Session, c fiber.Ctx) error { return hook(s, c) })
	},
	Recover: func() fibertest.Handler { return recover.New() },
	Error:   func(code int, message ...string) error { return fiber.NewError(code, message...) },
	NoError: (*fiber.Error)(nil),
	Prefork: func(t *testing.T) { t.Setenv("FIBER_PREFORK_CHILD", "1") },
	Setting: "fiber.ListenConfig.EnablePrefork",
}

func newApp(c fibertest.Config) fibertest.App {
	config := fiber.Config{
		CaseSensitive: c.CaseSensitive, GETOnly: c.GETOnly, BodyLimit: c.BodyLimit, Concurrency: c.Concurrency,
		ReadTimeout: c.ReadTimeout, IdleTimeout: c.IdleTimeout, WriteTimeout: c.WriteTimeout,
	}
	if c.ErrorHandler != nil {
		config.ErrorHandler = func(ctx fiber.Ctx, err error) error { return c.ErrorHandler(ctx, err) }
	}
	a := fiber.New(config)
	return app{router{a}, a}
}

func handler(h fibertest.Handler) fiber.Handler {
	if f, ok := h.(func(fibertest.Ctx) error); ok {
		return func(c fiber.Ctx) error { return f(c) }
	}
	return h.(fiber.Handler)
}

type router struct{ to fiber.Router }

func (r router) Use(prefix string, h fibertest.Handler) { r.to.Use(prefix, handler(h)) }
func (r router) Get(path string, h fibertest.Handler)   { r.to.Get(path, handler(h)) }
func (r router) All(path string, h fibertest.Handler)   { r.to.All(path, handler(h)) }
func (r router) Add(methods []string, path string, h fibertest.Handler) {
	r.to.Add(methods, path, handler(h))
}
func (r router) Group(prefix string, hs ...fibertest.Handler) fibertest.Router {
	var all []any
	for _, h := range hs {
		all = append(all, handler(h))
	}
	return router{r.to.Group(prefix, all...)}
}

type app struct {
	router
	app *fiber.App
}

func (a app) Mount(prefix string, sub fibertest.App)       { a.app.Use(prefix, sub.(app).app) }
func (a app) Test(r *http.Request) (*http.Response, error) { return a.app.Test(r) }
func (a app) Tune()                                        { eiofiber.Tune(a.app) }
func (a app) Server() *fasthttp.Server                     { return a.app.Server() }
func (a app) Handler() fasthttp.RequestHandler             { return a.app.Handler() }
func (a app) Serve(ln net.Listener) error {
	return a.app.Listener(ln, fiber.ListenConfig{DisableStartupMessage: true})
}
func (a app) OnListen(f func()) {
	a.app.Hooks().OnListen(func(fiber.ListenData) error { f(); return nil })
}
func (a app) Shutdown() error { return a.app.Shutdown() }
