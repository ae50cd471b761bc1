// Package eiofiber serves an Engine.IO engine from a Fiber v2 app.
//
//	app := fiber.New()
//	app.Use(eiofiber.New(srv)) // before compress, cache, etag, limiter, csrf and timeout
//	app.Get("/", home)
//
// Mount it first. What stands in front runs for every poll, and some middlewares break the
// engine there: cache serves one client's messages to another, timeout leaves a poll behind on a
// connection that is in use again, etag and compress change responses, csrf and limiter refuse
// them. Authentication may stand in front: what it puts into Locals reaches OnHandshake as
// ctx.UserValue.
package eiofiber

import (
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
)

// New makes a handler that serves srv at its path and hands every other request on. It panics
// when srv is nil.
//
// Mount it with Use or All, never with Get: long-polling posts too. A mount that requests cannot reach is told to the
// engine's Logger (Warn) at its first request, and so is a configuration of the app that does not fit the engine's.
//
// An engine with long-polling does not work in an app with fiber.Config.Prefork, whose processes
// know nothing of each other's sessions, nor with GETOnly, since it posts: its requests are answered 500, with the reason.
func New(srv *engineio.Server, config ...Config) fiber.Handler {
	if srv == nil {
		panic("eiofiber: New needs a Server")
	}
	cfg := configDefault(config...)
	engine := srv.Config()
	path := "/" + strings.Trim(cfg.Path, "/")
	if cfg.Path == "" {
		path = "/" + strings.Trim(engine.Path, "/")
	}
	var once sync.Once
	var caseSensitive bool
	var refused error
	return func(c *fiber.Ctx) error {
		once.Do(func() {
			app := c.App().Config() // 1 KB, not to be copied for each request
			caseSensitive, refused = app.CaseSensitive, check(app, engine)
			checkMount(c, path, engine)
		})
		if !matches(c, path, caseSensitive) || cfg.Next != nil && cfg.Next(c) {
			return c.Next()
		}
		if refused != nil {
			c.Context().SetConnectionClose() // a streamed body that nobody reads would be the next request
			return c.Status(fiber.StatusInternalServerError).JSON(fiber.Map{"code": 3, "message": refused.Error()})
		}
		srv.ServeFastHTTP(c.Context())
		return nil
	}
}

var (
	errPrefork = fiber.NewError(fiber.StatusInternalServerError,
		"eiofiber: long-polling does not work with fiber.Config.Prefork; turn Prefork off or set Transports to WebSocket alone")
	errGETOnly = fiber.NewError(fiber.StatusInternalServerError,
		"eiofiber: long-polling does not work with fiber.Config.GETOnly; turn GETOnly off or set Transports to WebSocket alone")
)

// matches tells whether the request is for path below the prefix that the handler was mounted
// at. A mount at path itself, app.Use("/engine.io", ...), is the same as one at the root.
func matches(c *fiber.Ctx, path string, caseSensitive bool) bool {
	want, got := below(c.Route().Path, path, caseSensitive), "/"+strings.Trim(c.Path(), "/")
	if sameSegments(strings.Trim(want, "/"), got[1:], caseSensitive) {
		return true
	}
	// What only Fiber can compare, at the cost of a parser made each time.
	return strings.ContainsAny(want, `:*+\`) && endsIn(got, path, caseSensitive) &&
		fiber.RoutePatternMatch(got, want, fiber.Config{CaseSensitive: caseSensitive})
}

// below is where the engine is when it was mounted at route.
func below(route, path string, caseSensitive bool) string {
	route = strings.TrimSuffix(route, "/")
	if endsIn(route, path, caseSensitive) {
		return route
	}
	return route + path
}

func endsIn(path, suffix string, caseSensitive bool) bool {
	tail := len(path) - len(suffix)
	return tail >= 0 && (path[tail:] == suffix || !caseSensitive && strings.EqualFold(path[tail:], suffix))
}

// sameSegments compares paths one segment at a time; a parameter of the group's prefix
// (/:tenant) matches any one.
func sameSegments(want, got string, caseSensitive bool) bool {
	for {
		w, wantMore, _ := strings.Cut(want, "/")
		g, gotMore, _ := strings.Cut(got, "/")
		same := w == g || !caseSensitive && strings.EqualFold(w, g) || strings.HasPrefix(w, ":") && g != ""
		if !same || (wantMore == "") != (gotMore == "") {
			return false
		}
		if wantMore == "" {
			return true
		}
		want, got = wantMore, gotMore
	}
}

// Health makes a handler that answers 200 while srv takes new sessions, and 503 when it drains or
// shuts down: see Server.ServeHealth.
func Health(srv *engineio.Server) fiber.Handler {
	return func(c *fiber.Ctx) error {
		srv.ServeHealth(c.Context())
		return nil
	}
}
