package table

import (
	"errors"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/wstest"
)

// Proxies write the same request in several ways.
func framing(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	const chunked = "Transfer-Encoding: chunked"
	for _, lines := range [][]string{{"Content-Length: 0"}, {chunked}} {
		end := ""
		if lines[0] == chunked {
			end = "0\r\n\r\n"
		}
		h := e.HTTP.HTTP()
		text := append(e.HTTP.Request("GET", enginetest.Setup{}.URI("polling", ""), nil, lines...), end...)
		for range 2 { // nothing is left on the connection
			if r := e.raw(h, text); r.Status != 200 {
				t.Errorf("a GET with %s is answered %d %s", lines, r.Status, r.Body)
			}
		}
		h.Close()
		p, err := e.handshake(enginetest.Setup{}, end, lines...)
		if err != nil {
			t.Errorf("a WebSocket handshake with %s: %v", lines, err)
			continue
		}
		_ = p.Conn.Close()
	}

	p := e.polling(enginetest.Setup{})
	post := e.HTTP.Request("POST", p.URI(), nil, chunked, "Content-Type: text/plain")
	if r := e.raw(p.Post, append(post, "3\r\n4he\r\n3\r\nllo\r\n0\r\n\r\n"...)); r.Status != 200 {
		t.Errorf("a POST in chunks is answered %d", r.Status)
	}
	e.expect(p, enginetest.Text("hello"))

	post = e.HTTP.Request("POST", p.URI(), []byte("4hello"), "Expect: 100-continue") // and does not wait for it
	r := e.raw(p.Post, post)
	if r.Status == 100 {
		r = e.raw(p.Post, nil)
	}
	if r.Status != 200 {
		t.Errorf("a POST with Expect is answered %d", r.Status)
	}
	e.expect(p, enginetest.Text("hello"))
}

// raw sends a request as it is.
func (e *engine) raw(h *enginetest.HTTP, text []byte) *enginetest.Response {
	e.Helper()
	if err := h.Write(text); err != nil {
		e.Fatal(err)
	}
	r, err := h.Read("")
	if err != nil {
		e.Fatal(err)
	}
	return r
}

// A body above MaxPayload is answered 413, however it comes, and the session goes on.
func payloadLimits(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{MaxPayload: 10_000})
	p := e.polling(enginetest.Setup{})
	most := enginetest.Text(strings.Repeat("x", 9_999))
	e.send(p, most)
	e.expect(p, most)

	var refused *enginetest.StatusError
	if err := p.Send(enginetest.Text(strings.Repeat("x", 10_000))); !errors.As(err, &refused) || refused.Status != 413 {
		t.Errorf("a byte more: %v", err)
	}
	e.alive(p)

	post := e.HTTP.Request("POST", p.URI(), nil, "Transfer-Encoding: chunked", "Content-Type: text/plain")
	post = append(post, "2711\r\n4"+strings.Repeat("x", 10_000)+"\r\n0\r\n\r\n"...)
	if r := e.raw(p.Post, post); r.Status != 413 {
		t.Errorf("a byte more in chunks is answered %d", r.Status)
	}
	e.alive(p)
}

// A header that the HTTP server has no room for is answered 431, which says what to change, and opens nothing.
func headerLimit(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	long := "Cookie: a=" + strings.Repeat("x", 20_000)
	if r := e.do("GET", enginetest.Setup{}.URI("polling", ""), nil, long); r.Status != 431 {
		t.Errorf("a long header is answered %d", r.Status)
	}
	_, err := e.handshake(enginetest.Setup{}, "", long)
	var refused *wstest.RefusedError
	if !errors.As(err, &refused) || refused.Response.StatusCode != 431 {
		t.Errorf("a WebSocket handshake with a long header: %v", err)
	}
	e.empties()
}
