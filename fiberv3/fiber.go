// Package eiofiber serves an Engine.IO engine from a Fiber v3 app.
//
//	app := fiber.New()
//	app.Use(eiofiber.New(srv)) // before compress, cache, etag, limiter, csrf and timeout
//	app.Get("/", home)
//
// Mount it first. What stands in front runs for every poll, and some middlewares break the
// engine there: cache serves one client's messages to another, timeout leaves a poll behind on a
// connection that is in use again, etag and compress change responses, csrf and limiter refuse
// them. Authentication may stand in front: what it puts into Locals reaches OnHandshake as
// ctx.UserValue, and OnHandshake here has the fiber.Ctx itself.
package eiofiber

import (
	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/mount"
)

// New makes a handler that serves srv at its path and hands every other request on. It panics
// when srv is nil.
//
// Mount it with Use or All, never with Get: long-polling posts too. A mount that requests cannot reach is told to the
// engine's Logger (Warn) at its first request, and so is a configuration of the app that does not fit the engine's.
//
// An engine with long-polling does not work in an app with fiber.ListenConfig.EnablePrefork, whose processes
// know nothing of each other's sessions, nor with GETOnly, since it posts: its requests are answered 500, with the reason.
func New(srv *engineio.Server, config ...Config) fiber.Handler {
	if srv == nil {
		panic("eiofiber: New needs a Server")
	}
	cfg := configDefault(config...)
	m := mount.New(version, srv.Config(), cfg.Path)
	return func(c fiber.Ctx) error {
		m.Begin(func() (mount.App, mount.Route) { return appOf(c), routeOf(c) })
		if !m.Ours(c.Route().Path, c.Path()) || cfg.Next != nil && cfg.Next(c) {
			return c.Next()
		}
		if refused := m.Refused(); refused != nil {
			c.RequestCtx().SetConnectionClose() // a streamed body that nobody reads would be the next request
			return c.Status(fiber.StatusInternalServerError).JSON(fiber.Map{"code": 3, "message": refused.Error()})
		}
		mount.Serve(srv, c.RequestCtx(), c)
		return nil
	}
}

// OnHandshake makes hook one for the engine's Config.OnHandshake: what it returns accepts or refuses the session as
// that documents, and fiber's errors (fiber.NewError) keep their status. c is that of the middleware: with Locals, Params
// and all that middlewares in front have done.
//
// c and all that comes from it is valid until hook returns, and so are Fiber's strings, which are views into the
// request: keep strings.Clone(c.Get("X-User")), also in a Key of the session. hook does not answer by c and does not call c.Next.
//
// A session that is opened elsewhere than through New, by the engine's own Handler say, is refused with status 500 and a
// message that says so.
func OnHandshake(hook func(s *engineio.Session, c fiber.Ctx) error) func(*engineio.Session, *fasthttp.RequestCtx) error {
	if hook == nil {
		panic("eiofiber: OnHandshake needs a hook")
	}
	return mount.OnHandshake(hook)
}

// Health makes a handler that answers 200 while srv takes new sessions, and 503 when it drains or
// shuts down: see Server.ServeHealth.
func Health(srv *engineio.Server) fiber.Handler {
	return func(c fiber.Ctx) error {
		srv.ServeHealth(c.RequestCtx())
		return nil
	}
}
