package fibertest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/files"
)

// A notebook is a logger's output.
type notebook struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (n *notebook) Write(b []byte) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.Write(b)
}

func (n *notebook) String() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.text.String()
}

// ask makes one handshake in an app of that configuration, without a network, and returns the
// status and what was logged.
func ask(t *testing.T, kit Kit, app Config, engine engineio.Config) (status int, log string) {
	t.Helper()
	var n notebook
	engine.Logger = slog.New(slog.NewTextHandler(&n, nil))
	if app.Concurrency == 0 {
		app.Concurrency, engine.MaxSessions = 1, 2 // below every limit of open files
	}
	srv := NewEngine(t, engine)
	a := kit.NewApp(app)
	a.Use("", kit.EngineAlone(srv))
	for range 2 { // what there is to say is said once
		r, err := a.Test(httptest.NewRequest("GET", "/engine.io/"+query, nil))
		if err != nil {
			t.Fatal(err)
		}
		status = r.StatusCode
	}
	return status, n.String()
}

// What long-polling cannot work with is refused, with its name in the log.
func preforkAndGETOnly(t *testing.T, kit Kit) {
	webSocket := engineio.Config{Transports: []engineio.Transport{engineio.WebSocket}}
	for name, c := range map[string]struct {
		app    Config
		engine engineio.Config
		status int
		logged string
	}{
		"polling":           {Config{}, engineio.Config{}, 200, ""},
		"prefork":           {Config{Prefork: true}, engineio.Config{}, 500, kit.Setting},
		"prefork WebSocket": {Config{Prefork: true}, webSocket, 400, ""},
		"GETOnly":           {Config{GETOnly: true}, engineio.Config{}, 500, "fiber.Config.GETOnly"},
		"GETOnly WebSocket": {Config{GETOnly: true}, webSocket, 400, ""},
	} {
		status, log := 0, ""
		t.Run(name, func(t *testing.T) {
			if c.app.Prefork && kit.Prefork != nil {
				kit.Prefork(t)
			}
			status, log = ask(t, kit, c.app, c.engine)
		})
		errors := strings.Count(log, "level=ERROR")
		if status != c.status || (errors == 1) != (c.logged != "") || errors > 1 || !strings.Contains(log, c.logged) {
			t.Errorf("%s: status %d, logged %q", name, status, log)
		}
	}
}

func bodyLimit(t *testing.T, kit Kit) {
	for name, c := range map[string]struct {
		limit, max, logged int
	}{
		"below":   {1000, 1001, 1},
		"same":    {1000, 1000, 0},
		"default": {0, 0, 0},
	} {
		status, log := ask(t, kit, Config{BodyLimit: c.limit}, engineio.Config{MaxPayload: c.max})
		if status != 200 || strings.Count(log, "BodyLimit is below") != c.logged {
			t.Errorf("%s: status %d, logged %q", name, status, log)
		}
	}
}

func newWithoutServer(t *testing.T, kit Kit) {
	defer func() {
		if p := recover(); p != "eiofiber: New needs a Server" {
			t.Errorf("panic %v", p)
		}
	}()
	kit.EngineAlone(nil)
}

func configDefault(t *testing.T, kit Kit) {
	srv := NewEngine(t, engineio.Config{})
	app := kit.NewApp(Config{})
	app.Use("", kit.EngineByDefault(srv))
	r, err := app.Test(httptest.NewRequest("GET", "/engine.io/"+query, nil))
	if err != nil || r.StatusCode != 200 {
		t.Errorf("%v, %v", r, err)
	}
}

// What may be open at once, by the app and by the engine, is compared with what the process may open.
func openFiles(t *testing.T, kit Kit) {
	limit, ok := files.Limit()
	if !ok || limit > 1<<40 {
		t.Skip("this process may open any number of files")
	}
	for _, c := range []struct {
		concurrency, sessions int
		logged                int
	}{
		{1, 2, 0}, {int(limit) - 2, 2, 0}, {int(limit) - 1, 2, 1}, {2, int(limit), 1},
	} {
		_, log := ask(t, kit, Config{Concurrency: c.concurrency}, engineio.Config{MaxSessions: c.sessions})
		if strings.Count(log, "above the limit of open files") != c.logged {
			t.Errorf("%d and %d of %d: logged %q", c.concurrency, c.sessions, limit, log)
		}
	}
}

// A mount that cannot work says so at its first request, once.
func mountsThatCannotWork(t *testing.T, kit Kit) {
	webSocket := []engineio.Transport{engineio.WebSocket}
	page := func(c Ctx) error { return c.SendString("page") }
	for name, c := range map[string]struct {
		mount      func(app App, engine Handler)
		path       string
		transports []engineio.Transport
		want       string // in the log; nothing else is there
	}{
		"Get at another path": {func(app App, engine Handler) { app.Get("/live", engine) }, "/live", nil,
			`a route at \"/live\" alone never reaches the engine, which is at \"/live/engine.io/\" there`},
		"All at another path": {func(app App, engine Handler) { app.All("/live", engine) }, "/live", nil, "never reaches the engine"},
		"Get in a group": {func(app App, engine Handler) { app.Group("/api").Get("/live", engine) }, "/api/live", nil,
			`which is at \"/api/live/engine.io/\" there`},
		"Get": {func(app App, engine Handler) { app.Get("/engine.io/", engine) }, "/engine.io/", nil,
			`the engine's route \"/engine.io/\" is for GET and HEAD alone, and long-polling posts`},
		"Get for WebSocket alone": {func(app App, engine Handler) { app.Get("/engine.io/", engine) }, "/engine.io/", webSocket, ""},
		"Get and Post": {func(app App, engine Handler) {
			app.Add([]string{"GET"}, "/engine.io/", engine)
			app.Add([]string{"POST"}, "/engine.io/", engine)
		}, "/engine.io/", nil, "alone, and long-polling posts"},
		"All":            {func(app App, engine Handler) { app.All("/engine.io/", engine) }, "/engine.io/", nil, ""},
		"Use":            {func(app App, engine Handler) { app.Use("", engine) }, "/engine.io/", nil, ""},
		"Use below":      {func(app App, engine Handler) { app.Use("/live", engine) }, "/live", nil, ""},
		"Use and a page": {func(app App, engine Handler) { app.Use("/live", engine); app.Get("/live", page) }, "/live", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var n notebook
			srv := NewEngine(t, engineio.Config{Logger: slog.New(slog.NewTextHandler(&n, nil)), Transports: c.transports, MaxSessions: 9})
			app := kit.NewApp(Config{Concurrency: 1})
			c.mount(app, kit.EngineAlone(srv))
			for range 2 {
				if _, err := app.Test(httptest.NewRequest("GET", c.path+query, nil)); err != nil {
					t.Fatal(err)
				}
			}
			if log := n.String(); strings.Count(log, "level=") != min(len(c.want), 1) || !strings.Contains(log, c.want) {
				t.Errorf("logged %s", log)
			}
		})
	}
}

// OnHandshake may refuse with Fiber's errors.
func fiberErrors(t *testing.T, kit Kit) {
	for _, c := range []struct {
		err    error
		status int
		body   string
	}{
		{kit.Error(401), 401, `{"code":4,"message":"Unauthorized"}`},
		{kit.Error(429, "later"), 429, `{"code":4,"message":"later"}`},
		{fmt.Errorf("log in: %w", kit.Error(418)), 418, `{"code":4,"message":"I'm a teapot"}`},
		{kit.Error(200, "fine"), 403, `{"code":4,"message":"fine"}`},
		{kit.NoError, 403, `{"code":4,"message":"Forbidden"}`},
		{errors.New("no"), 403, `{"code":4,"message":"Forbidden"}`},
	} {
		srv := NewEngine(t, engineio.Config{OnHandshake: func(*engineio.Session, *fasthttp.RequestCtx) error { return c.err }})
		app := kit.NewApp(Config{})
		app.Use("", kit.EngineAlone(srv))
		r, err := app.Test(httptest.NewRequest("GET", "/engine.io/"+query, nil))
		if err != nil {
			t.Fatal(err)
		}
		if body, _ := io.ReadAll(r.Body); r.StatusCode != c.status || string(body) != c.body {
			t.Errorf("%#v: answered %d %s", c.err, r.StatusCode, body)
		}
	}
}
