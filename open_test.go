package engineio_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

func openJSON(sid, upgrades string) string {
	return fmt.Sprintf(`{"sid":%q,"upgrades":[%s],"pingInterval":1500,"pingTimeout":700,"maxPayload":54321}`, sid, upgrades)
}

func openConfig() engineio.Config {
	return engineio.Config{PingInterval: 1500 * time.Millisecond, PingTimeout: 700 * time.Millisecond, MaxPayload: 54321}
}

func TestOpenPacketByPolling(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, openConfig())
		for _, revision := range enginetest.Revisions {
			c := e.polling(t, enginetest.Setup{Revision: revision}) // for a sid of the right length
			want := "0" + openJSON(c.Handshake().SID, `"websocket"`)
			if revision == codec.V3 {
				want = fmt.Sprintf("%d:%s", len(want), want)
			}
			r, err := e.http.HTTP().Do("GET", enginetest.Setup{Revision: revision}.URI("polling", ""), nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.Body) != len(want) || len(c.Handshake().SID) != 20 {
				t.Errorf("revision %d: %s, want %s", revision, r.Body, want)
			}
			opened := strings.Replace(string(r.Body), sidIn(string(r.Body)), c.Handshake().SID, 1)
			if opened != want {
				t.Errorf("revision %d: %s, want %s", revision, opened, want)
			}
		}
	})
}

func sidIn(body string) string {
	_, rest, _ := strings.Cut(body, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	return sid
}

func TestOpenPacketByWebSocket(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, openConfig())
		for _, revision := range enginetest.Revisions {
			w := e.webSocket(t, enginetest.Setup{Revision: revision})
			if o := w.Handshake(); len(o.Upgrades) != 0 || o.PingInterval != 1500 || o.PingTimeout != 700 || o.MaxPayload != 54321 {
				t.Errorf("revision %d: %+v", revision, o)
			}
		}
	})
}

func TestNoUpgradesOnOffer(t *testing.T) {
	for name, config := range map[string]engineio.Config{
		"disabled":     {DisableUpgrades: true},
		"no WebSocket": {Transports: []engineio.Transport{engineio.Polling}},
	} {
		e := serve(t, onFasthttp, config)
		c := e.polling(t, enginetest.Setup{})
		if u := c.Handshake().Upgrades; u == nil || len(u) != 0 {
			t.Errorf("%s: upgrades %#v, want []", name, u)
		}
		if _, err := e.http.DialWebSocket(enginetest.Setup{}, c.Handshake().SID); err == nil {
			t.Errorf("%s: the upgrade is accepted", name)
		}
		alive(t, c)
	}
}

func TestFirstMessagesComeWithTheHandshake(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{OnConnect: func(s *engineio.Session) { _ = s.SendText("hello") }})
		r, err := e.http.HTTP().Do("GET", enginetest.Setup{}.URI("polling", ""), nil)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(r.Body), `0{"sid":"`) || !strings.HasSuffix(string(r.Body), "}\x1e4hello") {
			t.Errorf("body %q", r.Body)
		}
		for _, way := range enginetest.Ways {
			expect(t, e.connect(t, enginetest.Setup{Way: way}), enginetest.Text("hello"))
		}
	})
}

func TestHeadersOfPolling(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for _, revision := range enginetest.Revisions {
			setup := enginetest.Setup{Revision: revision}
			c := e.polling(t, setup)
			h := e.http.HTTP()
			t.Cleanup(h.Close)
			body, kind := c.Payload(enginetest.Text("€"))
			bytes, bytesKind := c.Payload(enginetest.Binary([]byte{1, 2}))
			binary := "text/plain; charset=UTF-8"
			if revision == codec.V3 {
				binary = "application/octet-stream"
			}
			for _, request := range []struct {
				method, uri string
				body        []byte
				kind, want  string
			}{
				{"GET", setup.URI("polling", ""), nil, "", "text/plain; charset=UTF-8"},
				{"POST", c.URI(), body, kind, "text/html"},
				{"GET", c.URI(), nil, "", "text/plain; charset=UTF-8"},
				{"POST", c.URI(), bytes, bytesKind, "text/html"},
				{"GET", c.URI(), nil, "", binary},
			} {
				r, err := h.Do(request.method, request.uri, request.body, "Content-Type: "+request.kind)
				if err != nil {
					t.Fatal(err)
				}
				checkHeaders(t, r, request.want)
				if request.method == "POST" && string(r.Body) != "ok" {
					t.Errorf("POST is answered %q", r.Body)
				}
			}
		}
	})
}

func checkHeaders(t *testing.T, r *enginetest.Response, contentType string) {
	t.Helper()
	if r.Status != 200 || r.Header.Get("Content-Type") != contentType || r.Header.Get("Cache-Control") != "no-store" ||
		r.Length != int64(len(r.Body)) || len(r.Header.Values("Cache-Control")) != 1 {
		t.Errorf("status %d, headers %v, body %q; want %s", r.Status, r.Header, r.Body, contentType)
	}
}
