package eiofiber

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/files"
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

// check compares the app with the engine. It can only be done once the app serves, since New
// does not know it.
func check(app fiber.Config, engine engineio.Config) error {
	if app.BodyLimit < engine.MaxPayload {
		engine.Logger.Warn("eiofiber: fiber.Config.BodyLimit is below the engine's MaxPayload; larger payloads are refused by Fiber",
			slog.Int("BodyLimit", app.BodyLimit), slog.Int("MaxPayload", engine.MaxPayload))
	}
	if limit, ok := files.Limit(); ok && uint64(app.Concurrency)+uint64(engine.MaxSessions) > limit {
		engine.Logger.Warn("eiofiber: fiber.Config.Concurrency and the engine's MaxSessions together are above the limit of open files: "+
			"lower them, or raise it (ulimit -n, LimitNOFILE)",
			slog.Int("Concurrency", app.Concurrency), slog.Int("MaxSessions", engine.MaxSessions), slog.Uint64("limit", limit))
	}
	if !slices.Contains(engine.Transports, engineio.Polling) {
		return nil
	}
	var refused error
	switch {
	case app.Prefork:
		refused = errPrefork
	case app.GETOnly:
		refused = errGETOnly
	default:
		return nil
	}
	engine.Logger.Error(refused.Error())
	return refused
}

// checkMount looks whether the app hands the engine what is for it, given the first request that has come. A mount by
// Use has everything below its prefix, and nothing to be looked at.
func checkMount(c *fiber.Ctx, path string, engine engineio.Config) {
	route := c.Route()
	methods := methodsOf(c.App(), route)
	at, cs := below(route.Path, path, c.App().Config().CaseSensitive), c.App().Config().CaseSensitive
	switch {
	case len(methods) == 0:
	case !strings.ContainsAny(route.Path, "*+") && !sameSegments(strings.Trim(at, "/"), strings.Trim(route.Path, "/"), cs):
		engine.Logger.Warn(fmt.Sprintf("eiofiber: a route at %q alone never reaches the engine, which is at %q there: "+
			"mount it with Use, or with eiofiber.Config{Path: \"/\"}", route.Path, at+"/"))
	case !slices.Contains(methods, fiber.MethodPost) && slices.Contains(engine.Transports, engineio.Polling):
		engine.Logger.Warn(fmt.Sprintf("eiofiber: the engine's route %q is for %s alone, and long-polling posts: "+
			"mount it with Use or All, never Get", route.Path, strings.Join(methods, " and ")))
	}
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
