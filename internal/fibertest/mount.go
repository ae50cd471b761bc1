package fibertest

import (
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// mountings are ways to mount the engine, with paths that are its own and paths that are not.
var mountings = map[string]struct {
	fiber       Config
	engine      engineio.Config
	mount       func(kit Kit, app App, srv *engineio.Server)
	ours, other []string
}{
	"at the root": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/engine.io", "/engine.io/", "/ENGINE.io/"},
		other: []string{"/", "/engine.iox", "/engine.iox/", "/engine.io/x", "/engine.io/x/", "/x/engine.io/", "/engine", "/engine.io//x"},
	},
	"case counts": {
		fiber: Config{CaseSensitive: true},
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/Engine.io/", "/ENGINE.IO"},
	},
	"at its path": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Use("/engine.io", kit.EngineAlone(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/engine.iox/", "/engine.io/x", "/engine.io/engine.io/"},
	},
	"in a group": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Group("/api/v1").Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/api/v1/engine.io", "/api/v1/engine.io/"},
		other: []string{"/engine.io/", "/api/engine.io/", "/api/v1/engine.iox/", "/api/v1/engine.io/x", "/api/v1"},
	},
	"below a parameter": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Group("/:tenant").Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/acme/engine.io/", "/other/engine.io"},
		other: []string{"/engine.io/", "/acme/engine.iox/", "/acme/x/engine.io/", "/acme/engine.io/x"},
	},
	"below a part of a segment": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Group("/v:version").Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/v1/engine.io/", "/v22/engine.io"},
		other: []string{"/x1/engine.io/", "/v1/x/engine.io", "/v1/engine.io/x"},
	},
	"below a wildcard": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Group("/t/+").Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/t/x/engine.io/", "/t/x/y/engine.io"},
		other: []string{"/t/x/engine.iox", "/engine.io/"},
	},
	"below an escaped colon": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Group(`/name\:verb`).Use("", kit.EngineAlone(srv)) },
		ours:  []string{"/name:verb/engine.io/"},
		other: []string{"/namexverb/engine.io/"},
	},
	"at its path, in other case": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.Use("/Engine.IO", kit.EngineAlone(srv)) },
		ours:  []string{"/engine.io/", "/Engine.IO"},
		other: []string{"/engine.io/engine.io"},
	},
	"at the root of a group": {
		mount: func(kit Kit, app App, srv *engineio.Server) {
			app.Group("/live").Use("", kit.Engine(srv, "/", nil))
		},
		ours:  []string{"/live", "/live/"},
		other: []string{"/", "/live/x"},
	},
	"in a sub-app": {
		mount: func(kit Kit, app App, srv *engineio.Server) {
			sub := kit.NewApp(Config{})
			sub.Use("", kit.EngineAlone(srv))
			app.Mount("/sub", sub)
		},
		ours:  []string{"/sub/engine.io/", "/sub/engine.io"},
		other: []string{"/engine.io/", "/sub/engine.iox/", "/sub/engine.io/x"},
	},
	"at the engine's Path": {
		engine: engineio.Config{Path: "/live"},
		mount:  func(kit Kit, app App, srv *engineio.Server) { app.Use("", kit.EngineAlone(srv)) },
		ours:   []string{"/live", "/live/"},
		other:  []string{"/engine.io/", "/lives", "/live/x"},
	},
	"at the middleware's Path": {
		engine: engineio.Config{Path: "/live"},
		mount: func(kit Kit, app App, srv *engineio.Server) {
			app.Group("/a").Use("", kit.Engine(srv, "b/c", nil))
		},
		ours:  []string{"/a/b/c", "/a/b/c/"},
		other: []string{"/live/", "/a/live/", "/b/c", "/a/b", "/a/b/c/d"},
	},
	"unless Next says no": {
		mount: func(kit Kit, app App, srv *engineio.Server) {
			app.Use("", kit.Engine(srv, "", func(c Ctx) bool { return c.Query("skip") == "1" }))
		},
		ours:  []string{"/engine.io/", "/engine.io/" + query + "&skip=0"},
		other: []string{"/engine.io/" + query + "&skip=1", "/engine.io" + query + "&skip=1"},
	},
	"with a route of all methods": {
		mount: func(kit Kit, app App, srv *engineio.Server) { app.All("/engine.io", kit.EngineAlone(srv)) },
		ours:  []string{"/engine.io", "/engine.io/"},
		other: []string{"/engine.io/x"},
	},
}

func mounts(t *testing.T, kit Kit) {
	for name, c := range mountings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := NewEngine(t, c.engine)
			server := Start(t, kit.NewApp(c.fiber), func(app App) {
				c.mount(kit, app, srv)
				app.Use("", elsewhere)
			})
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
func sessionsBelowAPrefix(t *testing.T, kit Kit) {
	srv := NewEngine(t, engineio.Config{})
	server := Start(t, kit.NewApp(Config{}), func(app App) {
		app.Group("/api/:version").Use("", kit.EngineAlone(srv))
	})
	for _, way := range enginetest.Ways {
		for _, revision := range enginetest.Revisions {
			Echoed(t, server, enginetest.Setup{Way: way, Revision: revision, Path: "/api/v1/engine.io/"})
		}
	}
}

// Errors are the engine's: the app's ErrorHandler does not get to write them.
func errorsAreNotTheApps(t *testing.T, kit Kit) {
	srv := NewEngine(t, engineio.Config{})
	app := kit.NewApp(Config{ErrorHandler: func(c Ctx, _ error) error {
		return c.SendString("the app's")
	}})
	server := Start(t, app, func(app App) { app.Use("", kit.EngineAlone(srv)) })
	r, err := server.HTTP().Do("GET", "/engine.io/?EIO=4&transport=abc", nil)
	if err != nil || r.Status != 400 || string(r.Body) != `{"code":0,"message":"Transport unknown"}` {
		t.Errorf("%+v, %v", r, err)
	}
	r, err = server.HTTP().Do("GET", "/nothing", nil)
	if err != nil || string(r.Body) != "the app's" {
		t.Errorf("%+v, %v", r, err)
	}
}

// elsewhere is what answers the requests that are not the engine's.
func elsewhere(c Ctx) error { return c.SendString("elsewhere") }
