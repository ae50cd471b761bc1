// Package mount is what the middlewares for Fiber v2 and v3 share: which requests are the engine's, what does not fit
// together, and how the framework's context reaches a hook of the engine. It imports no Fiber.
package mount

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/files"
)

// Version is what differs between versions of Fiber.
type Version struct {
	// Prefork is the name of the setting that starts several processes.
	Prefork string
	// Matches compares a path with a pattern as the router does.
	Matches func(path, pattern string, caseSensitive bool) bool
}

// App is what there is to know of the app's configuration.
type App struct {
	// They are called as in fiber.Config.
	BodyLimit, Concurrency int
	// So are these, and Prefork says whether this process is one of several.
	CaseSensitive, GETOnly, Prefork bool
}

// Route is the route that the engine was registered by.
type Route struct {
	// Path is its pattern, with the prefixes of its groups.
	Path string
	// Methods are those it is registered for, none when it is a Use.
	Methods []string
}

// Mount is an engine at a path of an app.
type Mount struct {
	version Version
	engine  engineio.Config
	path    string

	once          sync.Once
	caseSensitive bool
	refused       error
}

// New makes a Mount of the engine at path, which is the engine's own when it is empty.
func New(version Version, engine engineio.Config, path string) *Mount {
	if path == "" {
		path = engine.Path
	}
	return &Mount{version: version, engine: engine, path: "/" + strings.Trim(path, "/")}
}

// Begin compares the app with the engine. That can only be done once the app serves, so it is called for each
// request; what look returns is used once.
func (m *Mount) Begin(look func() (App, Route)) {
	m.once.Do(func() {
		app, route := look()
		m.caseSensitive, m.refused = app.CaseSensitive, m.check(app)
		m.checkRoute(route)
	})
}

// Refused says why the engine cannot work in this app, nil when it can.
func (m *Mount) Refused() error { return m.refused }

func (m *Mount) check(app App) error {
	log := m.engine.Logger
	if app.BodyLimit < m.engine.MaxPayload {
		log.Warn("eiofiber: fiber.Config.BodyLimit is below the engine's MaxPayload; larger payloads are refused by Fiber",
			slog.Int("BodyLimit", app.BodyLimit), slog.Int("MaxPayload", m.engine.MaxPayload))
	}
	if limit, ok := files.Limit(); ok && uint64(app.Concurrency)+uint64(m.engine.MaxSessions) > limit {
		log.Warn("eiofiber: fiber.Config.Concurrency and the engine's MaxSessions together are above the limit of open files: "+
			"lower them, or raise it (ulimit -n, LimitNOFILE)",
			slog.Int("Concurrency", app.Concurrency), slog.Int("MaxSessions", m.engine.MaxSessions), slog.Uint64("limit", limit))
	}
	if !slices.Contains(m.engine.Transports, engineio.Polling) {
		return nil
	}
	setting := ""
	switch {
	case app.Prefork:
		setting = m.version.Prefork
	case app.GETOnly:
		setting = "fiber.Config.GETOnly"
	default:
		return nil
	}
	_, name, _ := strings.Cut(setting, "Config.")
	err := errors.New("eiofiber: long-polling does not work with " + setting +
		"; turn " + name + " off or set Transports to WebSocket alone")
	log.Error(err.Error())
	return err
}

// checkRoute looks whether the app hands the engine what is for it. A mount by Use has everything below its prefix,
// and nothing to be looked at.
func (m *Mount) checkRoute(route Route) {
	at, cs := below(route.Path, m.path, m.caseSensitive), m.caseSensitive
	switch {
	case len(route.Methods) == 0:
	case !strings.ContainsAny(route.Path, "*+") && !sameSegments(strings.Trim(at, "/"), strings.Trim(route.Path, "/"), cs):
		m.engine.Logger.Warn(fmt.Sprintf("eiofiber: a route at %q alone never reaches the engine, which is at %q there: "+
			"mount it with Use, or with eiofiber.Config{Path: \"/\"}", route.Path, at+"/"))
	case !slices.Contains(route.Methods, "POST") && slices.Contains(m.engine.Transports, engineio.Polling):
		m.engine.Logger.Warn(fmt.Sprintf("eiofiber: the engine's route %q is for %s alone, and long-polling posts: "+
			"mount it with Use or All, never Get", route.Path, strings.Join(route.Methods, " and ")))
	}
}
