package fibertest

import (
	"errors"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A path parameter and the values of a middleware in front are there for OnHandshake.
func valuesReachOnHandshake(t *testing.T, kit Kit) {
	srv := NewEngine(t, engineio.Config{OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if ctx.UserValue("user") != "Ada" {
			return errors.New("a stranger")
		}
		return nil
	}})
	server := Start(t, kit.NewApp(Config{}), func(app App) {
		app.Use("", kit.Recover())
		app.Use("", func(c Ctx) error {
			c.Locals("user", c.Get("X-User"))
			return c.Next()
		})
		app.Use("", kit.EngineAlone(srv))
	})
	for _, way := range enginetest.Ways {
		Echoed(t, server, enginetest.Setup{Way: way, Header: []string{"X-User: Ada"}})
	}
	if _, err := enginetest.Dial(server, enginetest.Setup{Header: []string{"X-User: Eve"}}); err == nil {
		t.Error("a stranger is let in")
	}
}

// A hook has the context of the middleware: Locals, Params, the query, and Fiber's errors. It is not asked about requests
// of sessions that are open.
func onHandshake(t *testing.T, kit Kit) {
	user := engineio.NewKey[string]("user")
	hook := func(s *engineio.Session, c Ctx) error {
		if c.Locals("user") != "Ada" || c.Params("tenant") != "acme" || c.Query("EIO") == "" {
			return kit.Error(401, "a stranger")
		}
		user.Set(s, strings.Clone(c.Get("X-User")))
		return nil
	}
	srv := NewEngine(t, engineio.Config{OnHandshake: kit.OnHandshake(hook), OnConnect: func(s *engineio.Session) {
		if name, _ := user.Get(s); name != "Ada" {
			t.Errorf("connected as %q", name)
		}
	}})
	server := Start(t, kit.NewApp(Config{}), func(app App) {
		app.Group("/of/:tenant", func(c Ctx) error {
			c.Locals("user", c.Get("X-User"))
			return c.Next()
		}).Use("", kit.EngineAlone(srv))
	})
	const path = "/of/acme/engine.io/"
	for _, way := range enginetest.Ways {
		for _, revision := range enginetest.Revisions {
			Echoed(t, server, enginetest.Setup{Way: way, Revision: revision, Path: path, Header: []string{"X-User: Ada"}})
		}
	}
	r, err := server.HTTP().Do("GET", path+query, nil, "X-User: Eve")
	if err != nil || r.Status != 401 || string(r.Body) != `{"code":4,"message":"a stranger"}` {
		t.Errorf("a stranger is answered %+v, %v", r, err)
	}
}

// A session that comes by another way than the middleware has no such context, and the refusal says so, also after
// requests on the same connection that had one.
func onHandshakeElsewhere(t *testing.T, kit Kit) {
	asked := 0
	srv := NewEngine(t, engineio.Config{OnHandshake: kit.OnHandshake(func(*engineio.Session, Ctx) error { asked++; return nil })})
	app := kit.NewApp(Config{})
	app.Use("", kit.EngineAlone(srv))
	through := app.Handler()
	server := enginetest.Start(t, func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Request.Header.Peek("X-Directly")) != "" {
			srv.ServeFastHTTP(ctx)
		} else {
			through(ctx)
		}
	}, enginetest.Options{})
	h := server.HTTP()
	for range 3 {
		if r, err := h.Do("GET", "/engine.io/"+query, nil); err != nil || r.Status != 200 {
			t.Fatalf("%+v, %v", r, err)
		}
		r, err := h.Do("GET", "/engine.io/"+query, nil, "X-Directly: yes")
		if err != nil || r.Status != 500 || !strings.Contains(string(r.Body), "eiofiber.New") {
			t.Errorf("%+v, %v", r, err)
		}
	}
	if asked != 3 {
		t.Errorf("the hook was asked %d times", asked)
	}
}

func onHandshakeWithoutHook(t *testing.T, kit Kit) {
	defer func() {
		if p := recover(); p != "eiofiber: OnHandshake needs a hook" {
			t.Errorf("panic %v", p)
		}
	}()
	kit.OnHandshake(nil)
}
