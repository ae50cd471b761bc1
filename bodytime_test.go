package engineio_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

const bodyTimeout = 400 * time.Millisecond // 2 s where it must not pass

// aheadOfUs is what fasthttp reads of a body with a length before the engine is asked, and more.
const aheadOfUs = 10_000

// bodies are the ways to announce a body and to send a part of it.
var bodies = map[string]struct {
	header string // of the request
	begin  string // of the body
	part   func(string) string
	end    string
}{
	"length": {
		fmt.Sprintf("Content-Length: %d", 2*aheadOfUs), "4" + strings.Repeat("x", aheadOfUs),
		func(s string) string { return s }, strings.Repeat("x", aheadOfUs-1-100),
	},
	"chunked": {
		"Transfer-Encoding: chunked", "1\r\n4\r\n",
		func(s string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(s), s) }, "0\r\n\r\n",
	},
}

// A slowPost is a session on long-polling, and how to make a POST of it bit by bit.
type slowPost struct {
	*enginetest.Polling
	e     *engine
	begin func() *enginetest.HTTP // on a connection of its own
	part  func(string) string     // of the body
	end   string                  // of the body
}

// eachBody runs f on servers that stream bodies, plain and over TLS.
func eachBody(t *testing.T, bodyTimeout time.Duration, f func(*testing.T, *slowPost)) {
	eachStack(t, func(t *testing.T, on stack) {
		for name, body := range bodies {
			for _, o := range []enginetest.Options{
				{StreamRequestBody: true},
				{StreamRequestBody: true, TLS: true, ReduceMemoryUsage: true},
				{StreamRequestBody: true, ReadTimeout: enginetest.Patience, MaxConnsPerIP: 1000},
			} {
				t.Run(fmt.Sprintf("%s, TLS %v, per IP %v", name, o.TLS, o.MaxConnsPerIP > 0), func(t *testing.T) {
					t.Parallel()
					e := serve(t, on, engineio.Config{BodyTimeout: bodyTimeout}, o)
					p := e.polling(t, enginetest.Setup{})
					begin := func() *enginetest.HTTP {
						h := e.http.HTTP()
						t.Cleanup(h.Close)
						head := enginetest.Request("POST", p.URI(), "localhost", nil, body.header)
						if err := h.Write(append(head, body.begin...)); err != nil {
							t.Fatal(err)
						}
						return h
					}
					f(t, &slowPost{p, e, begin, body.part, body.end})
				})
			}
		}
	})
}

// answered checks the answer to a POST, and whether the connection goes on.
func answered(t *testing.T, h *enginetest.HTTP, status int, closes bool) {
	t.Helper()
	r, err := h.Read("POST")
	if err != nil {
		t.Fatal(err)
	}
	if r.Status != status || r.Close != closes {
		t.Errorf("answered %d, the connection closes %v; want %d, %v", r.Status, r.Close, status, closes)
	}
}

// However often a byte comes, the whole body has BodyTimeout.
func TestBodyThatTrickles(t *testing.T) {
	eachBody(t, bodyTimeout, func(t *testing.T, p *slowPost) {
		start := time.Now()
		h := p.begin()
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i := 0; i < 90 && h.Write([]byte(p.part("4"))) == nil && time.Since(start) < 2*bodyTimeout; i++ {
				time.Sleep(bodyTimeout / 20)
			}
		}()
		answered(t, h, 408, true)
		if d := time.Since(start); d < bodyTimeout {
			t.Errorf("it was given up after %v", d)
		}
		<-done
		alive(t, p.Polling) // by other connections
	})
}

// A client that says nothing more is no different.
func TestBodyThatStops(t *testing.T) {
	eachBody(t, bodyTimeout, func(t *testing.T, p *slowPost) {
		h := p.begin()
		if err := h.Write([]byte(p.part("half"))); err != nil {
			t.Fatal(err)
		}
		answered(t, h, 408, true)
		if n := len(p.e.ends); n != 0 {
			t.Errorf("%d sessions have ended", n)
		}
		alive(t, p.Polling)
	})
}

// A body that breaks off is not what the client wanted to say.
func TestBodyThatBreaksOff(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, o := range []enginetest.Options{{StreamRequestBody: true}, {StreamRequestBody: true, TLS: true}} {
			e := serve(t, on, engineio.Config{BodyTimeout: enginetest.Patience}, o)
			p := e.polling(t, enginetest.Setup{})
			for _, c := range []struct{ header, body string }{
				{"Content-Length: 100", "4half"},
				{fmt.Sprintf("Content-Length: %d", 2*aheadOfUs), "4" + strings.Repeat("x", aheadOfUs)},
				{"Transfer-Encoding: chunked", "64\r\n4half"},
				{"Transfer-Encoding: chunked", "5\r\n4half\r\n"}, // between two chunks
				{"Transfer-Encoding: chunked", "5\r\n4half\r\n5"},
			} {
				h := e.http.HTTP()
				t.Cleanup(h.Close)
				if err := h.Write(append(enginetest.Request("POST", p.URI(), "localhost", nil, c.header), c.body...)); err != nil {
					t.Fatal(err)
				}
				h.HalfClose()
				answered(t, h, 400, true)
				alive(t, p)
			}
		}
	})
}

// One that comes in time is fine, however slowly, and its deadline is not the next request's.
func TestBodyInTime(t *testing.T) {
	const bodyTimeout = 5 * bodyTimeout
	eachBody(t, bodyTimeout, func(t *testing.T, p *slowPost) {
		h := p.begin()
		sent := ""
		for range 10 {
			time.Sleep(bodyTimeout / 100)
			sent += "0123456789"
			if err := h.Write([]byte(p.part("0123456789"))); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Write([]byte(p.end)); err != nil {
			t.Fatal(err)
		}
		answered(t, h, 200, false)
		if m, err := enginetest.Next(p.Polling); err != nil || !strings.Contains(string(m.Data), sent) {
			t.Errorf("the message is %.200q, %v", m.Data, err)
		}
		time.Sleep(bodyTimeout * 6 / 5)
		if r, err := h.Do("POST", p.URI(), []byte("4later")); err != nil || r.Status != 200 {
			t.Fatalf("a POST on the same connection: %v, %v", r, err)
		}
		expect(t, p, enginetest.Text("later"))
		c, err := h.Conn()
		if err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(bodyTimeout * 6 / 5))
		_, err = c.Read(make([]byte, 1))
		if timeout, ok := err.(net.Error); !ok || !timeout.Timeout() {
			t.Errorf("the idle connection reads %v", err)
		}
	})
}

// What the engine does not read of a streamed body is not the next request on its connection.
func TestUnreadBodyIsNoRequest(t *testing.T) {
	const next = "GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n"
	body := strings.Repeat("p", 8192) + next // fasthttp has that much in advance
	entered := make(chan struct{}, 1)
	leave := make(chan struct{})
	for name, c := range map[string]struct {
		method, query string
		header        []string
	}{
		"binary body":  {"POST", "&sid=", []string{"Content-Type: application/octet-stream"}},
		"overlap":      {"POST", "&sid=", nil},
		"unknown sid":  {"POST", "&sid=x", nil},
		"poll":         {"GET", "&sid=", nil},
		"handshake":    {"GET", "", nil},
		"preflight":    {"OPTIONS", "", []string{"Origin: http://a.example", "Access-Control-Request-Method: POST"}},
		"other method": {"PUT", "&sid=", nil},
	} {
		t.Run(name, func(t *testing.T) {
			e := serve(t, onFasthttp, engineio.Config{
				AllowedOrigins: []string{"*"},
				OnMessage:      func(*engineio.Session, engineio.Message) { entered <- struct{}{}; <-leave },
			}, enginetest.Options{StreamRequestBody: true})
			p := e.polling(t, enginetest.Setup{})
			if name == "overlap" {
				go func() { _ = p.Send(enginetest.Text("hold")) }()
				<-entered
				defer func() { leave <- struct{}{} }()
			}
			uri := "/engine.io/?EIO=4&transport=polling" + c.query
			if c.query == "&sid=" {
				uri += p.Handshake().SID
			}
			h := e.http.HTTP()
			defer h.Close()
			request := enginetest.Request(c.method, uri, "a", []byte(body), c.header...)
			head := request[:len(request)-len(next)]
			if err := h.Write(head); err != nil {
				t.Fatal(err)
			}
			_ = h.Write([]byte(next)) // apart, and perhaps too late
			r, err := h.Read(c.method)
			if err != nil || r.Status < 400 || !r.Close {
				t.Fatalf("answered %+v, %v", r, err)
			}
		})
	}
}
