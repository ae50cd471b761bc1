package engineio_test

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

const (
	unknownTransport   = `{"code":0,"message":"Transport unknown"}`
	unknownSession     = `{"code":1,"message":"Session ID unknown"}`
	badMethod          = `{"code":2,"message":"Bad handshake method"}`
	badRequest         = `{"code":3,"message":"Bad request"}`
	unsupportedVersion = `{"code":5,"message":"Unsupported protocol version"}`
)

// In the queries {polling} and {websocket} stand for the sid of such a session, of revision 4.
var refusals = []struct{ name, method, query, want string }{
	{"no query", "GET", "", unknownTransport},
	{"no transport", "GET", "EIO=4", unknownTransport},
	{"unknown transport", "GET", "EIO=4&transport=abc", unknownTransport},
	{"webtransport", "GET", "EIO=4&transport=webtransport", unknownTransport},
	{"empty transport", "GET", "EIO=4&transport=", unknownTransport},
	{"transport in capitals", "GET", "EIO=4&transport=POLLING", unknownTransport},
	{"last transport counts", "GET", "EIO=4&transport=polling&transport=abc", unknownTransport},
	{"transport before version", "GET", "EIO=abc&transport=abc", unknownTransport},
	{"transport before session", "GET", "EIO=4&transport=abc&sid=nobody", unknownTransport},

	{"no version", "GET", "transport=polling", unsupportedVersion},
	{"version of letters", "GET", "EIO=abc&transport=polling", unsupportedVersion},
	{"version 2", "GET", "EIO=2&transport=polling", unsupportedVersion},
	{"version 5", "GET", "EIO=5&transport=polling", unsupportedVersion},
	{"version 44", "GET", "EIO=44&transport=polling", unsupportedVersion},
	{"last version counts", "GET", "EIO=4&transport=polling&EIO=5", unsupportedVersion},

	{"unknown session", "GET", "EIO=4&transport=polling&sid=nobody", unknownSession},
	{"unknown session by POST", "POST", "EIO=4&transport=polling&sid=nobody", unknownSession},
	{"unknown session by WebSocket", "GET", "EIO=4&transport=websocket&sid=nobody", unknownSession},
	{"a sid of another language", "GET", "EIO=4&transport=polling&sid=__proto__", unknownSession},
	{"sid with zero bytes", "GET", "EIO=4&transport=polling&sid=%00%ff", unknownSession},
	{"last sid counts", "GET", "EIO=4&transport=polling&sid={polling}&sid=nobody", unknownSession},
	{"session before method", "PUT", "EIO=4&transport=polling&sid=nobody", unknownSession},

	{"POST handshake", "POST", "EIO=4&transport=polling", badMethod},
	{"PUT handshake", "PUT", "EIO=4&transport=polling", badMethod},
	{"OPTIONS handshake", "OPTIONS", "EIO=4&transport=polling", badMethod},
	{"DELETE handshake", "DELETE", "EIO=4&transport=websocket", badMethod},
	{"HEAD handshake", "HEAD", "EIO=4&transport=polling", badMethod},
	{"empty sid is none", "POST", "EIO=4&transport=polling&sid=", badMethod},
	{"PUT on a session", "PUT", "EIO=4&transport=polling&sid={polling}", badMethod},
	{"PATCH on a session", "PATCH", "EIO=4&transport=polling&sid={polling}", badMethod},

	{"WebSocket without Upgrade", "GET", "EIO=4&transport=websocket", badRequest},
	{"WebSocket on a session without Upgrade", "GET", "EIO=4&transport=websocket&sid={polling}", badRequest},
	{"WebSocket on a WebSocket session without Upgrade", "GET", "EIO=4&transport=websocket&sid={websocket}", badRequest},
	{"poll of a WebSocket session", "GET", "EIO=4&transport=polling&sid={websocket}", badRequest},
	{"POST to a WebSocket session", "POST", "EIO=4&transport=polling&sid={websocket}", badRequest},
	{"another revision", "GET", "EIO=3&transport=polling&sid={polling}", badRequest},
	{"another revision by POST", "POST", "EIO=3&transport=polling&sid={polling}", badRequest},
	{"no revision on a session", "GET", "transport=polling&sid={polling}", badRequest},
}

func TestRefusedRequests(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		sids := strings.NewReplacer(
			"{polling}", e.polling(t, enginetest.Setup{}).Handshake().SID,
			"{websocket}", e.webSocket(t, enginetest.Setup{}).Handshake().SID)
		before := e.Len()
		h := e.http.HTTP()
		for _, c := range refusals {
			var body []byte
			if c.method == "POST" {
				body = []byte("4hello")
			}
			r, err := h.Do(c.method, "/engine.io/?"+sids.Replace(c.query), body)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if c.method == "HEAD" {
				c.want = ""
			}
			if r.Status != 400 || string(r.Body) != c.want || r.Header.Get("Content-Type") != "application/json" ||
				r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %d %s %v, want 400 %s", c.name, r.Status, r.Body, r.Header, c.want)
			}
		}
		if e.Len() != before {
			t.Errorf("%d sessions, there were %d", e.Len(), before)
		}
		check()
	})
}

func TestTransportNotOnOffer(t *testing.T) {
	for _, c := range []struct {
		config engineio.Config
		query  string
		want   string
	}{
		{engineio.Config{Transports: []engineio.Transport{engineio.WebSocket}}, "EIO=4&transport=polling", unknownTransport},
		{engineio.Config{Transports: []engineio.Transport{engineio.Polling}}, "EIO=4&transport=websocket", unknownTransport},
		{engineio.Config{Revisions: []engineio.Revision{engineio.V4}}, "EIO=3&transport=polling", unsupportedVersion},
		{engineio.Config{Revisions: []engineio.Revision{engineio.V3}}, "EIO=4&transport=polling", unsupportedVersion},
	} {
		e := serve(t, onFasthttp, c.config)
		r, err := e.http.HTTP().Do("GET", "/engine.io/?"+c.query, nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != 400 || string(r.Body) != c.want {
			t.Errorf("%s: %d %s, want %s", c.query, r.Status, r.Body, c.want)
		}
	}
}

// What a WebSocket handshake is refused with before the 101. Lines that are given replace those of a good one.
var badHandshakes = []struct {
	name, query string
	lines       []string
	status      int
	want        string
}{
	{"unknown transport", "EIO=4&transport=abc", nil, 400, unknownTransport},
	{"Upgrade on polling", "EIO=4&transport=polling", nil, 400, badRequest},
	{"Upgrade on a poll", "EIO=4&transport=polling&sid={polling}", nil, 400, badRequest},
	{"unknown session", "EIO=4&transport=websocket&sid=nobody", nil, 400, unknownSession},
	{"bad version", "EIO=5&transport=websocket", nil, 400, unsupportedVersion},
	{"another revision", "EIO=3&transport=websocket&sid={polling}", nil, 400, badRequest},
	{"no key", "EIO=4&transport=websocket", []string{"Sec-WebSocket-Key: "}, 400, `{"code":3,`},
	{"short key", "EIO=4&transport=websocket", []string{"Sec-WebSocket-Key: c2hvcnQ="}, 400, `{"code":3,`},
	{"old protocol", "EIO=4&transport=websocket", []string{"Sec-WebSocket-Version: 8"}, 426, `{"code":3,`},
	{"no token", "EIO=4&transport=websocket", []string{"Connection: keep-alive"}, 426, `{"code":3,`},
	{"old protocol on a session", "EIO=4&transport=websocket&sid={polling}", []string{"Sec-WebSocket-Version: 8"}, 426, `{"code":3,`},
}

func TestRefusedWebSockets(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		polling := e.polling(t, enginetest.Setup{})
		before := e.Len()
		for _, c := range badHandshakes {
			uri := "/engine.io/?" + strings.Replace(c.query, "{polling}", polling.Handshake().SID, 1)
			r, err := e.http.HTTP().Do("GET", uri, nil, webSocketLines(c.lines...)...)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			if r.Status != c.status || !strings.HasPrefix(string(r.Body), c.want) {
				t.Errorf("%s: %d %s, want %d %s", c.name, r.Status, r.Body, c.status, c.want)
			}
		}
		if e.Len() != before {
			t.Errorf("%d sessions, there were %d", e.Len(), before)
		}
		alive(t, polling)
		check()
	})
}

// webSocketLines are the headers of a good handshake, with some replaced.
func webSocketLines(replace ...string) []string {
	lines := []string{
		"Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}
	for _, line := range replace {
		name, _, _ := strings.Cut(line, ":")
		for i := range lines {
			if strings.HasPrefix(lines[i], name+":") {
				lines[i] = line
			}
		}
	}
	return lines
}

func TestLastQueryKeyCounts(t *testing.T) {
	e := serve(t, onFasthttp, engineio.Config{})
	r, err := e.http.HTTP().Do("GET", "/engine.io/?transport=abc&EIO=9&transport=polling&EIO=4", nil)
	if err != nil || r.Status != 200 {
		t.Fatalf("%+v, %v", r, err)
	}
}

// Much that means nothing is let through, as long as the HTTP server reads it.
func TestHugeQuery(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		setup := enginetest.Setup{Query: strings.Repeat("&a=%20&=&&b", 200)}
		alive(t, e.connect(t, setup))
		setup.Query = "sid=" + strings.Repeat("x", 1000) + "&" + strings.Repeat("y=z&", 100)
		r, err := e.http.HTTP().Do("GET", setup.URI("polling", ""), nil)
		if err != nil || string(r.Body) != unknownSession {
			t.Errorf("%+v, %v", r, err)
		}
		setup.Query = strings.Repeat("x", 100_000)
		r, err = e.http.HTTP().Do("GET", setup.URI("polling", ""), nil)
		if err == nil && (r.Status < 400 || r.Status > 499) {
			t.Errorf("a query of 100 KB is answered %d", r.Status)
		}
		check()
	})
}

func TestGarbageInPlaceOfHTTP(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		for _, garbage := range []string{"\x00\x01\x02\r\n\r\n", "GET /engine.io/", "\x16\x03\x01\x02\x00\x01\x00", "POST /engine.io/ HTTP/1.1\r\nContent-Length: x\r\n\r\n"} {
			h := e.http.HTTP()
			if err := h.Write([]byte(garbage)); err != nil {
				t.Fatal(err)
			}
			h.HalfClose()
			c, err := h.Conn()
			if err != nil {
				t.Fatal(err)
			}
			var timeout net.Error
			if b, err := io.ReadAll(c); errors.As(err, &timeout) && timeout.Timeout() || strings.Contains(string(b), " 200 ") {
				t.Errorf("%q is answered %q, %v", garbage, b, err)
			}
		}
		check()
	})
}
