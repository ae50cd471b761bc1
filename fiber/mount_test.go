package eiofiber_test

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/gofiber/fiber/v2/middleware/recover"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// newEngine makes a Server that echoes, and is shut down when the test ends.
func newEngine(t *testing.T, config engineio.Config) *engineio.Server {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	config.OnMessage = func(s *engineio.Session, m engineio.Message) { _ = s.SendText(string(m.Data)) }
	srv := engineio.New(config)
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Shutdown(now)
		ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if n := srv.Len(); n != 0 {
			t.Errorf("%d sessions outlive the test", n)
		}
	})
	return srv
}

// elsewhere is what answers the requests that are not the engine's.
func elsewhere(c *fiber.Ctx) error { return c.SendString("elsewhere") }

const query = "?EIO=4&transport=polling"

// mounts are ways to mount the engine, with paths that are its own and paths that are not.
var mounts = map[string]struct {
	fiber       fiber.Config
	engine      engineio.Config
	mount       func(app *fiber.App, srv *engineio.Server)
	ours, other []string
}{
	"at the root": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Use(eiofiber.New(srv)) },
		ours:  []string{"/engine.io", "/engine.io/", "/ENGINE.io/"},
		other: []string{"/", "/engine.iox", "/engine.iox/", "/engine.io/x", "/engine.io/x/", "/x/engine.io/", "/engine", "/engine.io//x"},
	},
	"case counts": {
		fiber: fiber.Config{CaseSensitive: true},
		mount: func(app *fiber.App, srv *engineio.Server) { app.Use(eiofiber.New(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/Engine.io/", "/ENGINE.IO"},
	},
	"at its path": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Use("/engine.io", eiofiber.New(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/engine.iox/", "/engine.io/x", "/engine.io/engine.io/"},
	},
	"in a group": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Group("/api/v1").Use(eiofiber.New(srv)) },
		ours:  []string{"/api/v1/engine.io", "/api/v1/engine.io/"},
		other: []string{"/engine.io/", "/api/engine.io/", "/api/v1/engine.iox/", "/api/v1/engine.io/x", "/api/v1"},
	},
	"below a parameter": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Group("/:tenant").Use(eiofiber.New(srv)) },
		ours:  []string{"/acme/engine.io/", "/other/engine.io"},
		other: []string{"/engine.io/", "/acme/engine.iox/", "/acme/x/engine.io/", "/acme/engine.io/x"},
	},
	"below a part of a segment": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Group("/v:version").Use(eiofiber.New(srv)) },
		ours:  []string{"/v1/engine.io/", "/v22/engine.io"},
		other: []string{"/x1/engine.io/", "/v1/x/engine.io", "/v1/engine.io/x"},
	},
	"below a wildcard": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Group("/t/+").Use(eiofiber.New(srv)) },
		ours:  []string{"/t/x/engine.io/", "/t/x/y/engine.io"},
		other: []string{"/t/x/engine.iox", "/engine.io/"},
	},
	"below an escaped colon": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Group(`/name\:verb`).Use(eiofiber.New(srv)) },
		ours:  []string{"/name:verb/engine.io/"},
		other: []string{"/namexverb/engine.io/"},
	},
	"at its path, in other case": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.Use("/Engine.IO", eiofiber.New(srv)) },
		ours:  []string{"/engine.io/", "/Engine.IO"},
		other: []string{"/engine.io/engine.io"},
	},
	"at the root of a group": {
		mount: func(app *fiber.App, srv *engineio.Server) {
			app.Group("/live").Use(eiofiber.New(srv, eiofiber.Config{Path: "/"}))
		},
		ours:  []string{"/live", "/live/"},
		other: []string{"/", "/live/x"},
	},
	"in a sub-app": {
		mount: func(app *fiber.App, srv *engineio.Server) {
			sub := fiber.New()
			sub.Use(eiofiber.New(srv))
			app.Mount("/sub", sub)
		},
		ours:  []string{"/sub/engine.io/", "/sub/engine.io"},
		other: []string{"/engine.io/", "/sub/engine.iox/", "/sub/engine.io/x"},
	},
	"at the engine's Path": {
		engine: engineio.Config{Path: "/live"},
		mount:  func(app *fiber.App, srv *engineio.Server) { app.Use(eiofiber.New(srv)) },
		ours:   []string{"/live", "/live/"},
		other:  []string{"/engine.io/", "/lives", "/live/x"},
	},
	"at the middleware's Path": {
		engine: engineio.Config{Path: "/live"},
		mount: func(app *fiber.App, srv *engineio.Server) {
			app.Group("/a").Use(eiofiber.New(srv, eiofiber.Config{Path: "b/c"}))
		},
		ours:  []string{"/a/b/c", "/a/b/c/"},
		other: []string{"/live/", "/a/live/", "/b/c", "/a/b", "/a/b/c/d"},
	},
	"unless Next says no": {
		mount: func(app *fiber.App, srv *engineio.Server) {
			app.Use(eiofiber.New(srv, eiofiber.Config{Next: func(c *fiber.Ctx) bool { return c.Query("skip") == "1" }}))
		},
		ours:  []string{"/engine.io/", "/engine.io/" + query + "&skip=0"},
		other: []string{"/engine.io/" + query + "&skip=1", "/engine.io" + query + "&skip=1"},
	},
	"with a route of all methods": {
		mount: func(app *fiber.App, srv *engineio.Server) { app.All("/engine.io", eiofiber.New(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/engine.io/x"},
	},
}

func TestMounts(t *testing.T) {
	for name, c := range mounts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := c.fiber
			config.DisableStartupMessage = true
			srv := newEngine(t, c.engine)
			server := enginetest.StartApp(t, fiber.New(config), func(app *fiber.App) {
				c.mount(app, srv)
				app.Use(elsewhere)
			}, enginetest.Options{})
			for _, path := range c.ours {
				if r := get(t, server, path); r.Status != 200 || len(r.Body) == 0 || r.Body[0] != '0' {
					t.Errorf("%s: %d %.60q, want the engine", path, r.Status, r.Body)
				}
			}
			for _, path := range c.other {
				if r := get(t, server, path); string(r.Body) != "elsewhere" {
					t.Errorf("%s: %d %.60q, want what comes after", path, r.Status, r.Body)
				}
			}
		})
	}
}

func get(t *testing.T, server *enginetest.Server, path string) *enginetest.Response {
	t.Helper()
	if !strings.Contains(path, "?") {
		path += query
	}
	r, err := server.HTTP().Do("GET", path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Sessions work wherever they are mounted, on every transport.
func TestSessionsBelowAPrefix(t *testing.T) {
	srv := newEngine(t, engineio.Config{})
	server := enginetest.StartFiber(t, func(app *fiber.App) {
		app.Group("/api/:version").Use(eiofiber.New(srv))
	}, enginetest.Options{})
	for _, way := range enginetest.Ways {
		for _, revision := range enginetest.Revisions {
			echoed(t, server, enginetest.Setup{Way: way, Revision: revision, Path: "/api/v1/engine.io/"})
		}
	}
}

func echoed(t *testing.T, server *enginetest.Server, setup enginetest.Setup) {
	t.Helper()
	c := enginetest.Connect(t, server, setup)
	if err := c.Send(enginetest.Text("hello")); err != nil {
		t.Fatal(err)
	}
	if p, err := enginetest.Next(c); err != nil || string(p.Data) != "hello" {
		t.Errorf("%s: %v, %v", setup.Way, p, err)
	}
}

// A path parameter and the values of a middleware in front are there for OnHandshake.
func TestValuesReachOnHandshake(t *testing.T) {
	srv := newEngine(t, engineio.Config{OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if ctx.UserValue("user") != "Ada" {
			return errors.New("a stranger")
		}
		return nil
	}})
	server := enginetest.StartFiber(t, func(app *fiber.App) {
		app.Use(recover.New())
		app.Use(func(c *fiber.Ctx) error {
			c.Locals("user", c.Get("X-User"))
			return c.Next()
		})
		app.Use(eiofiber.New(srv))
	}, enginetest.Options{})
	for _, way := range enginetest.Ways {
		echoed(t, server, enginetest.Setup{Way: way, Header: []string{"X-User: Ada"}})
	}
	if _, err := enginetest.Dial(server, enginetest.Setup{Header: []string{"X-User: Eve"}}); err == nil {
		t.Error("a stranger is let in")
	}
}

// Errors are the engine's: the app's ErrorHandler does not get to write them.
func TestErrorsAreNotTheApps(t *testing.T) {
	srv := newEngine(t, engineio.Config{})
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ErrorHandler: func(c *fiber.Ctx, _ error) error {
		return c.Status(500).SendString("the app's")
	}})
	server := enginetest.StartApp(t, app, func(app *fiber.App) { app.Use(eiofiber.New(srv)) }, enginetest.Options{})
	r, err := server.HTTP().Do("GET", "/engine.io/?EIO=4&transport=abc", nil)
	if err != nil || r.Status != 400 || string(r.Body) != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = server.HTTP().Do("GET", "/nothing", nil)
	if err != nil || string(r.Body) != "the app's" {
		t.Errorf("%+v, %v", r, err)
	}
}
