package table

import (
	"bytes"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Refusals have the protocol's codes, leave the connection for the next request, and no session behind.
func refusals(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{
		Cookie: &engineio.Cookie{},
		OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
			if ctx.QueryArgs().Has("reject") {
				return &engineio.RequestError{Status: 401, Message: "log in first"}
			}
			return nil
		},
	})
	h := e.HTTP.HTTP()
	defer h.Close()
	for _, c := range []struct {
		method, query string
		status        int
		body          string
	}{
		{"GET", "EIO=4&transport=pigeon", 400, `{"code":0,"message":"Transport unknown"}`},
		{"GET", "EIO=4&transport=polling&sid=nobody", 400, `{"code":1,"message":"Session ID unknown"}`},
		{"POST", "EIO=4&transport=polling", 400, `{"code":2,"message":"Bad handshake method"}`},
		{"GET", "EIO=4&transport=websocket", 400, `{"code":3,"message":"Bad request"}`},
		{"GET", "EIO=4&transport=polling&reject=1", 401, `{"code":4,"message":"log in first"}`},
		{"GET", "EIO=9&transport=polling", 400, `{"code":5,"message":"Unsupported protocol version"}`},
	} {
		var body []byte
		if c.method == "POST" {
			body = []byte("4hello")
		}
		r, err := h.Do(c.method, "/engine.io/?"+c.query, body)
		if err != nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		if r.Status != c.status || string(r.Body) != c.body || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s is answered %d %s %v, want %d %s", c.query, r.Status, r.Body, r.Header, c.status, c.body)
		}
	}
	r := e.refusedWebSocket(enginetest.Setup{Query: "reject=1"}, "")
	if r.Response.StatusCode != 401 {
		t.Errorf("a refused WebSocket is answered %d", r.Response.StatusCode)
	}
	e.empties()

	if r, err := h.Do("GET", enginetest.Setup{}.URI("polling", ""), nil); err != nil || r.Status != 200 ||
		!strings.HasPrefix(r.Header.Get("Set-Cookie"), "io=") {
		t.Errorf("the handshake after all that: %+v, %v", r, err)
	}
}

// Requests for other paths are the application's, bodies and all, on the same connection too.
func otherRoutes(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	p := e.polling(enginetest.Setup{})
	for _, target := range []string{"/", "/other?EIO=4&transport=polling", "/engine.iox/", "/engine.io/below"} {
		for _, body := range [][]byte{[]byte("a body"), bytes.Repeat([]byte("x"), 20_000)} {
			e.alive(p)
			r, err := p.Post.Do("POST", target, body, "Content-Type: text/plain")
			if err != nil || r.Status != 200 || string(r.Body) != Elsewhere+string(body) {
				t.Errorf("POST %s: %+v, %v", target, r, err)
			}
			r, err = p.Get.Do("GET", target, nil)
			if err != nil || r.Status != 200 || string(r.Body) != Elsewhere {
				t.Errorf("GET %s: %+v, %v", target, r, err)
			}
		}
	}
	e.alive(p)
}
