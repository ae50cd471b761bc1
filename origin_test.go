package engineio_test

import (
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Pages of the request's own host are welcome, and those on the list.
func TestOrigins(t *testing.T) {
	lists := map[string]struct{ allowed, in, out []string }{
		"default": {nil, nil, []string{"http://evil.example", "null", "nonsense", "file://"}},
		"exact": {
			[]string{"https://app.example"},
			[]string{"https://app.example", "https://app.example:443"},
			[]string{"http://app.example", "https://x.app.example", "https://app.example.evil", "null"},
		},
		"wildcard": {
			[]string{"https://*.app.example"},
			[]string{"https://x.app.example", "https://x.y.app.example"},
			[]string{"https://app.example", "https://evilapp.example", "null"},
		},
		"all": {[]string{"*"}, []string{"http://evil.example", "null"}, nil},
	}
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		for name, c := range lists {
			e := serve(t, on, engineio.Config{AllowedOrigins: c.allowed})
			for _, origin := range append([]string{"", "http://" + e.http.Addr}, c.in...) {
				alive(t, e.connect(t, from(setup, origin)))
			}
			for _, origin := range append([]string{"http://127.0.0.1:1"}, c.out...) {
				if name == "all" {
					continue
				}
				r := handshake(t, e, from(setup, origin))
				if r.Status != 403 || string(r.Body) != `{"code":4,"message":"Origin not allowed"}` {
					t.Errorf("%s: %q is answered %d %s", name, origin, r.Status, r.Body)
				}
			}
		}
	})
}

func from(setup enginetest.Setup, origin string) enginetest.Setup {
	if origin != "" {
		setup.Header = []string{"Origin: " + origin}
	}
	return setup
}

// A foreign page cannot use a session either, should it know one.
func TestForeignOriginOnASession(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		p := e.polling(t, enginetest.Setup{})
		for _, method := range []string{"GET", "POST"} {
			r, err := e.http.HTTP().Do(method, p.URI(), nil, "Origin: http://evil.example")
			if err != nil || r.Status != 403 {
				t.Errorf("%s: %+v, %v", method, r, err)
			}
		}
		setup := enginetest.Setup{Header: []string{"Origin: http://evil.example"}}
		if w, err := e.http.DialWebSocket(setup, p.Handshake().SID); err == nil {
			w.Close()
			t.Error("the WebSocket is accepted")
		}
		alive(t, p)
	})
}

// fasthttp takes a target with two slashes at its start and "://" anywhere, the query included, for one with a host.
// A foreign page can make its visitor's browser send that.
func TestTheTargetDoesNotNameTheHost(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for query, header := range map[string][]string{
			"transport=polling":     nil,
			"transport=polling&j=0": nil,
			"transport=websocket": {
				"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
				"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
			},
		} {
			target := "//evil.example/engine.io/?EIO=4&" + query + "&x=://"
			r, err := e.http.HTTP().Do("GET", target, nil, append(header, "Origin: http://evil.example")...)
			if err != nil || r.Status != 403 {
				t.Errorf("%s: %+v, %v", target, r, err)
			}
		}
	})
}
