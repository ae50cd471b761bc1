package eiofiber

import (
	"errors"

	"github.com/gofiber/fiber/v3"

	"github.com/fasteio/engineio/internal/mount"
	"github.com/fasteio/engineio/internal/status"
)

func init() { status.Learn(read) }

// read lets OnHandshake refuse with Fiber's own errors.
func read(err error) (code int, message string, ok bool) {
	var e *fiber.Error
	if !errors.As(err, &e) || e == nil {
		return 0, "", false
	}
	return e.Code, e.Message, true
}

// version is what differs in Fiber v3.
var version = mount.Version{
	Prefork: "fiber.ListenConfig.EnablePrefork",
	Matches: func(path, pattern string, caseSensitive bool) bool {
		return fiber.RoutePatternMatch(path, pattern, fiber.Config{CaseSensitive: caseSensitive})
	},
}

func appOf(c fiber.Ctx) mount.App {
	app := c.App().Config()
	return mount.App{
		BodyLimit: app.BodyLimit, Concurrency: app.Concurrency,
		CaseSensitive: app.CaseSensitive, GETOnly: app.GETOnly, Prefork: fiber.IsChild(),
	}
}

func routeOf(c fiber.Ctx) mount.Route {
	return mount.Route{Path: c.Route().Path, Methods: methodsOf(c.App(), c.Route())}
}

// methodsOf are those that a route which is no Use was registered for, by the handlers that it shares with them.
func methodsOf(app *fiber.App, route *fiber.Route) (methods []string) {
	for _, r := range app.GetRoutes(true) {
		if r.Path == route.Path && len(r.Handlers) > 0 && len(route.Handlers) > 0 && &r.Handlers[0] == &route.Handlers[0] {
			methods = append(methods, r.Method)
		}
	}
	return methods
}
