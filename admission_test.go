package engineio_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// handshake tries to connect on a transport and returns the refusal.
func handshake(t *testing.T, e *engine, setup enginetest.Setup) *enginetest.Response {
	t.Helper()
	c, err := enginetest.Dial(e.http, setup)
	var status *enginetest.StatusError
	var refused *enginetest.HandshakeError
	switch {
	case errors.As(err, &status):
		return status.Response
	case errors.As(err, &refused):
		body, _ := io.ReadAll(refused.Response.Body)
		return &enginetest.Response{Status: refused.Response.StatusCode, Header: refused.Response.Header, Body: body}
	case err != nil:
		t.Fatal(err)
	}
	c.Close()
	return &enginetest.Response{Status: 200, Header: http.Header{}}
}

// eachHandshake runs f for both ways into the server, on both stacks.
func eachHandshake(t *testing.T, f func(t *testing.T, on stack, setup enginetest.Setup)) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, way := range []enginetest.Way{enginetest.ByPolling, enginetest.ByWebSocket} {
			for _, revision := range enginetest.Revisions {
				t.Run(fmt.Sprintf("%s/%d", way, revision), func(t *testing.T) {
					f(t, on, enginetest.Setup{Way: way, Revision: revision})
				})
			}
		}
	})
}

func TestRefusalByTheApplication(t *testing.T) {
	refusals := map[string]struct {
		err    func() error
		status int
		body   string
		header string // "Name: value" in the answer
	}{
		"all chosen": {func() error {
			return &engineio.RequestError{Status: 401, Code: 42, Message: `who "are" <you>?`, Header: http.Header{"Www-Authenticate": {"Basic", "Bearer"}}}
		}, 401, `{"code":42,"message":"who \"are\" \u003cyou\u003e?"}`, "WWW-Authenticate: Basic"},
		"nothing chosen": {func() error { return &engineio.RequestError{} }, 403, `{"code":4,"message":"Forbidden"}`, ""},
		"code":           {func() error { return &engineio.RequestError{Code: 3} }, 400, badRequest, ""},
		"wrapped": {func() error {
			return fmt.Errorf("database: %w", &engineio.RequestError{Status: 503, Message: "later"})
		}, 503, `{"code":4,"message":"later"}`, ""},
		"nonsense status": {func() error { return &engineio.RequestError{Status: 200} }, 403, `{"code":4,"message":"Forbidden"}`, ""},
		"plain error":     {func() error { return errors.New("secret") }, 403, `{"code":4,"message":"Forbidden"}`, ""},
		"panic":           {func() error { panic("secret") }, 500, `{"code":3,"message":"Internal Server Error"}`, ""},
	}
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		for name, c := range refusals {
			e := serve(t, on, engineio.Config{OnHandshake: func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
				if ctx.QueryArgs().Has("refuse") {
					return c.err()
				}
				return nil
			}})
			check := e.bystander(t)
			setup.Query = "refuse=1"
			r := handshake(t, e, setup)
			if r.Status != c.status || string(r.Body) != c.body || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %s %v", name, r.Status, r.Body, r.Header)
			}
			if key, value, _ := strings.Cut(c.header, ": "); r.Header.Get(key) != value {
				t.Errorf("%s: %s is %q, want %q", name, key, r.Header.Get(key), value)
			}
			if n := e.Len(); n != 3 || len(e.ends) > 0 {
				t.Errorf("%s: %d sessions, %d ends; want the bystanders alone", name, n, len(e.ends))
			}
			check()
		}
	})
}

// A session that is being asked about cannot send, and its values stay with it.
func TestSessionDuringHandshake(t *testing.T) {
	name := engineio.NewKey[string]("name")
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{
			OnHandshake: func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
				if err := s.SendText("early"); !errors.Is(err, engineio.ErrNotOpen) {
					t.Errorf("send in OnHandshake: %v", err)
				}
				if s.Revision() != setup.Revision || s.Transport().String() != string(setup.Way) || !s.RemoteAddr().IsValid() {
					t.Errorf("revision %d, %v, from %v", s.Revision(), s.Transport(), s.RemoteAddr())
				}
				name.Set(s, string(ctx.Request.Header.Peek("X-Name")))
				return nil
			},
			OnMessage: func(s *engineio.Session, _ engineio.Message) {
				n, _ := name.Get(s)
				_ = s.SendText(n)
			},
		})
		setup.Header = []string{"X-Name: Ada"}
		c := e.connect(t, setup)
		if err := c.Send(enginetest.Text("who am I?")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, enginetest.Text("Ada"))
	})
}

func TestLocalsReachOnHandshake(t *testing.T) {
	locals := stack{"fiber", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		return enginetest.StartFiber(t, func(app *fiber.App) {
			app.Use(func(c *fiber.Ctx) error {
				c.Locals("user", c.Get("X-User"))
				return c.Next()
			})
			app.Use(eiofiber.New(srv))
		}, o)
	}}
	e := serve(t, locals, engineio.Config{OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if ctx.UserValue("user") != "Ada" {
			return errors.New("a stranger")
		}
		return nil
	}})
	for _, way := range enginetest.Ways {
		alive(t, e.connect(t, enginetest.Setup{Way: way, Header: []string{"X-User: Ada"}}))
	}
	if r := handshake(t, e, enginetest.Setup{Header: []string{"X-User: Eve"}}); r.Status != 403 {
		t.Errorf("status %d", r.Status)
	}
}

func TestMaxSessions(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxSessions: 3})
		check := e.bystander(t)
		r := handshake(t, e, setup)
		if r.Status != 503 || r.Header.Get("Retry-After") == "" || !strings.HasPrefix(string(r.Body), `{"code":`) {
			t.Errorf("%d %s %v", r.Status, r.Body, r.Header)
		}
		check()
		for s := range e.Sessions() {
			s.CloseNow()
			break
		}
		eventually(t, "a place is free", func() bool { return e.Places() == 2 })
		alive(t, e.connect(t, setup))
	})
}

// Header names of a middleware in front survive a refusal.
func TestHeadersOfMiddlewareSurviveRefusal(t *testing.T) {
	front := stack{"fasthttp", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
		return enginetest.Start(t, func(ctx *fasthttp.RequestCtx) {
			ctx.Response.Header.Set("Access-Control-Allow-Origin", "*")
			srv.ServeFastHTTP(ctx)
		}, o)
	}}
	e := serve(t, front, engineio.Config{OnHandshake: func(*engineio.Session, *fasthttp.RequestCtx) error { return errors.New("no") }})
	for _, way := range []enginetest.Way{enginetest.ByPolling, enginetest.ByWebSocket} {
		r := handshake(t, e, enginetest.Setup{Way: way})
		if r.Status != 403 || r.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %v", way, r.Status, r.Header)
		}
	}
}
