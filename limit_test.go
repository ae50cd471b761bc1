package engineio_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

const maxPayload = 20_000

// lastFitting is the largest text of n bytes on the wire, the packet's type counted.
func lastFitting(n int) codec.Packet { return enginetest.Text(strings.Repeat("x", n-1)) }

func TestMessageOfMaxPayload(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxPayload: maxPayload})
		c := e.connect(t, setup)
		m := lastFitting(maxPayload)
		if setup.Way == enginetest.ByPolling && setup.Revision == codec.V3 {
			m = lastFitting(maxPayload - len("20000:"))
		}
		if err := c.Send(m); err != nil {
			t.Fatal(err)
		}
		expect(t, c, m)
	})
}

func TestPostAboveMaxPayload(t *testing.T) {
	limits := map[string]enginetest.Options{
		"whole":                      {},
		"streamed":                   {StreamRequestBody: true},
		"whole, TLS":                 {TLS: true},
		"streamed, TLS, per IP":      {StreamRequestBody: true, TLS: true, MaxConnsPerIP: 1000},
		"streamed, little memory":    {StreamRequestBody: true, ReduceMemoryUsage: true},
		"streamed, small HTTP limit": {StreamRequestBody: true, MaxRequestBodySize: maxPayload},
	}
	for name, o := range limits {
		t.Run(name, func(t *testing.T) {
			eachStack(t, func(t *testing.T, on stack) {
				e := serve(t, on, engineio.Config{MaxPayload: maxPayload}, o)
				for _, chunked := range []bool{false, true} {
					for _, size := range []int{maxPayload + 1, 10 * maxPayload} {
						t.Run(fmt.Sprintf("chunked=%v/%d", chunked, size), func(t *testing.T) { tooLarge(t, e, size, chunked) })
					}
				}
			})
		})
	}
}

func tooLarge(t *testing.T, e *engine, size int, chunked bool) {
	c := e.polling(t, enginetest.Setup{})
	post := e.http.HTTP()
	t.Cleanup(post.Close)
	r := send(t, post, c.URI(), strings.Repeat("4", size), chunked)
	if r.Status != 413 || len(r.Body) != 0 {
		t.Errorf("status %d, body %q; want 413 and nothing", r.Status, r.Body)
	}
	// Neither the connection nor the session has suffered.
	if r := send(t, post, c.URI(), "4after", chunked); r.Status != 200 {
		t.Errorf("the next POST: %d %q", r.Status, r.Body)
	}
	expect(t, c, enginetest.Text("after"))
	alive(t, c)
}

// send makes a POST, in chunks if asked for.
func send(t *testing.T, h *enginetest.HTTP, uri, body string, chunked bool) *enginetest.Response {
	t.Helper()
	request := enginetest.Request("POST", uri, "localhost", []byte(body))
	if chunked {
		request = enginetest.Request("POST", uri, "localhost", nil, "Transfer-Encoding: chunked")
		for len(body) > 0 {
			n := min(len(body), 1500)
			request = append(request, fmt.Sprintf("%x\r\n%s\r\n", n, body[:n])...)
			body = body[n:]
		}
		request = append(request, "0\r\n\r\n"...)
	}
	if err := h.Write(request); err != nil {
		t.Fatal(err)
	}
	r, err := h.Read("POST")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A body that is read to no end because it was refused must not be taken for the next request.
func TestRefusedStreamIsNotARequest(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{}, enginetest.Options{StreamRequestBody: true})
		c := e.polling(t, enginetest.Setup{})
		smuggled := enginetest.Request("GET", c.URI(), "localhost", nil)
		body := bytes.Repeat(smuggled, 1000)
		for _, uri := range []string{
			enginetest.Setup{}.URI("polling", "nobody"), // refused before the body is read
			strings.Replace(c.URI(), "EIO=4", "EIO=3", 1),
		} {
			h := e.http.HTTP()
			t.Cleanup(h.Close)
			r, err := h.Do("POST", uri, body)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != 400 || !r.Close {
				t.Errorf("status %d, the connection closes: %v", r.Status, r.Close)
			}
		}
		alive(t, c)
	})
}

// Nor one that nobody wants. It would come without an Origin, out of a page of any.
func TestUnreadStreamIsNotARequest(t *testing.T) {
	unread := func(t *testing.T, e *engine, method, uri string, status int) {
		t.Helper()
		h := e.http.HTTP()
		t.Cleanup(h.Close)
		smuggled := enginetest.Request("GET", enginetest.Setup{}.URI("polling", ""), "localhost", nil)
		r, err := h.Do(method, uri, append(bytes.Repeat([]byte("x"), 8<<10), smuggled...)) // fasthttp has read 8 KiB
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != status || !r.Close || e.Len() != 0 {
			t.Errorf("%s %s: status %d, the connection closes: %v, %d sessions", method, uri, r.Status, r.Close, e.Len())
		}
	}
	streams := enginetest.Options{StreamRequestBody: true}
	t.Run("no next", func(t *testing.T) {
		unread(t, serve(t, onFasthttp, engineio.Config{}, streams), "POST", "/other", 404)
	})
	eachStack(t, func(t *testing.T, on stack) {
		unread(t, serve(t, withHealth(on), engineio.Config{}, streams), "GET", healthPath, 200)
	})
}

func TestWebSocketMessageAboveMaxPayload(t *testing.T) {
	writes := map[string]func(*websocket.Conn) error{
		"one frame": func(c *websocket.Conn) error {
			return c.WriteMessage(websocket.TextMessage, bytes.Repeat([]byte("4"), maxPayload+1))
		},
		"far above": func(c *websocket.Conn) error {
			_ = c.WriteMessage(websocket.BinaryMessage, make([]byte, 100*maxPayload))
			return nil // we may be told off before all has left
		},
		"fragments": func(c *websocket.Conn) error {
			w, err := c.NextWriter(websocket.TextMessage)
			if err != nil {
				return err
			}
			for range maxPayload/100 + 1 {
				if _, err := w.Write(bytes.Repeat([]byte("4"), 100)); err != nil {
					return err
				}
			}
			return w.Close()
		},
	}
	for name, write := range writes {
		t.Run(name, func(t *testing.T) {
			eachStack(t, func(t *testing.T, on stack) {
				for _, o := range []enginetest.Options{{}, {TLS: true}, {MaxConnsPerIP: 1000}} {
					e := serve(t, on, engineio.Config{MaxPayload: maxPayload}, o)
					check := e.bystander(t)
					for _, way := range enginetest.Ways[1:] {
						w := e.connect(t, enginetest.Setup{Way: way}).(*enginetest.WebSocket)
						if err := write(w.Conn); err != nil {
							t.Fatal(err)
						}
						if code := w.CloseCode(); code != 1009 {
							t.Errorf("%s: close code %d, want 1009", way, code)
						}
						w.Close()
						e.ended(t, engineio.ReasonTooBig)
					}
					check()
				}
			})
		})
	}
}

// The farewell must leave before the connection is given up, every time.
func TestCloseCodeArrivesEveryTime(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{MaxPayload: 10})
		for i := range 100 {
			w := e.webSocket(t, enginetest.Setup{})
			if err := w.Send(enginetest.Text("more than ten bytes")); err != nil {
				t.Fatal(err)
			}
			if code := w.CloseCode(); code != 1009 {
				t.Fatalf("client %d: close code %d, want 1009", i, code)
			}
			w.Close()
			e.ended(t, engineio.ReasonTooBig)
		}
	})
}
