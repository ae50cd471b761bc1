package engineio

import (
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/valyala/fasthttp"
)

// Hooks that panic refuse, or leave the answer as it is. A panic that reached fasthttp would end the process.
func TestPanicInAHook(t *testing.T) {
	const forbidden, badRequest = `{"code":4,"message":"Origin not allowed"}`, `{"code":3,"message":"Bad request"}`
	for _, c := range []struct {
		hook   string
		config Config
		query  string
		status int
		body   string
	}{
		{"OnRequestRefused", Config{OnRequestRefused: func(*fasthttp.RequestCtx, netip.AddrPort, *RequestError) { panic("oops") }},
			"EIO=4&transport=pigeon", 400, `{"code":0,"message":"Transport unknown"}`},
		{"AllowOrigin", Config{AllowOrigin: func(*fasthttp.RequestCtx, string) bool { panic("oops") }}, handshake4, 403, forbidden},
		{"GenerateID", Config{GenerateID: func(*fasthttp.RequestCtx) (string, error) { panic("oops") }}, handshake4, 400, badRequest},
	} {
		t.Run(c.hook, func(t *testing.T) {
			var book logbook
			c.config.Logger = slog.New(&book)
			srv := newTestServer(c.config)
			var header []string
			if c.hook == "AllowOrigin" {
				header = []string{"Origin: http://page.example"}
			}
			var ctx *fasthttp.RequestCtx
			if p := panicOf(func() { ctx = visit(t, srv, "GET", c.query, header...) }); p != nil {
				t.Fatalf("%v reaches fasthttp", p)
			}
			if got := string(ctx.Response.Body()); ctx.Response.StatusCode() != c.status || got != c.body {
				t.Errorf("answered %d %s, want %d %s", ctx.Response.StatusCode(), got, c.status, c.body)
			}
			if book.count("ERROR engineio: panic in "+c.hook) != 1 || srv.places.count() != 0 {
				t.Errorf("logged %q, %d sessions", book.lines, srv.places.count())
			}
		})
	}
}

// What the response carries still goes out, and the session ends.
func TestPanicInOnHeaders(t *testing.T) {
	var book logbook
	srv := newTestServer(Config{Logger: slog.New(&book)})
	ask := map[string]func(s *Session) (int, string){
		"a GET":  func(s *Session) (int, string) { _ = s.SendText("x"); return get(s) },
		"a POST": func(s *Session) (int, string) { return post(s, "4x") },
	}
	for what, want := range map[string]string{"a GET": "4x", "a POST": "ok"} {
		s := openPolling(t, srv, V4)
		srv.config.OnHeaders = func(*Session, *fasthttp.RequestCtx, bool) { panic("oops") }
		var status int
		var body string
		if p := panicOf(func() { status, body = ask[what](s) }); p != nil {
			t.Fatalf("%s: %v reaches fasthttp", what, p)
		}
		srv.config.OnHeaders = nil
		if status != 200 || body != want || reasonOf(t, s) != ReasonPanic {
			t.Errorf("%s is answered %d %q, want %q", what, status, body, want)
		}
		if err := s.Flush(t.Context()); err != nil && what == "a GET" {
			t.Errorf("Flush: %v", err) // the packets were handed over
		}
		if _, body := get(s); body != "1" {
			t.Errorf("the last GET has %q", body)
		}
	}
	if book.count("ERROR engineio: panic in OnHeaders") != 2 {
		t.Errorf("logged %q", book.lines)
	}
}

func TestPanicInOnHeadersOfAWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var opened *Session
		srv := newTestServer(Config{
			OnHandshake: func(s *Session, _ *fasthttp.RequestCtx) error { opened = s; return nil },
			OnHeaders:   func(*Session, *fasthttp.RequestCtx, bool) { panic("oops") },
		})
		ctx := incoming("GET", webSocket4, upgradeHeader...)
		if p := panicOf(func() { srv.ServeFastHTTP(ctx) }); p != nil {
			t.Fatalf("%v reaches fasthttp", p)
		}
		if ctx.Response.StatusCode() != 101 || !ctx.Hijacked() || reasonOf(t, opened) != ReasonPanic {
			t.Errorf("answered %d, hijacked %v", ctx.Response.StatusCode(), ctx.Hijacked())
		}
		c := servePipe(t, newWebSocket(opened), newWebSocket(opened).serve, true)
		c.expect(t, "8 1002 session has ended")
		c.close()
		shut(srv) // ends its watch over the HTTP server
		settled(t, srv)
	})
}
