package table

import (
	"slices"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

const (
	friend = "Origin: https://friend.example"
	evil   = "Origin: https://evil.example"
)

// own is the origin of the engine's own pages.
func (e *engine) own(at place) string {
	if at.setting.Options.TLS {
		return "Origin: https://" + e.HTTP.Addr
	}
	return "Origin: http://" + e.HTTP.Addr
}

// Pages of the own host and of allowed origins come in, with the headers that let them read; others do not, by no
// transport and on no session.
func origins(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{AllowedOrigins: []string{"https://friend.example"}, AllowCredentials: true})
	for _, origin := range []string{e.own(at), friend} {
		for _, way := range enginetest.Ways {
			e.alive(e.connect(enginetest.Setup{Way: way, Header: []string{origin}}))
		}
	}
	target := enginetest.Setup{}.URI("polling", "")
	r := e.do("GET", target, nil, friend)
	if r.Header.Get("Access-Control-Allow-Origin") != "https://friend.example" || !varies(r, "Origin") ||
		r.Header.Get("Access-Control-Allow-Credentials") != "true" {
		t.Errorf("an allowed origin is answered %v", r.Header)
	}

	p := e.polling(enginetest.Setup{})
	for _, request := range []struct{ method, target string }{{"GET", target}, {"GET", p.URI()}, {"POST", p.URI()}} {
		r := e.do(request.method, request.target, []byte{}, evil)
		if r.Status != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s of a foreign page is answered %d %v", request.method, request.target, r.Status, r.Header)
		}
	}
	for _, sid := range []string{"", p.Handshake().SID} {
		if r := e.refusedWebSocket(enginetest.Setup{Header: []string{evil}}, sid); r.Response.StatusCode != 403 {
			t.Errorf("a WebSocket of a foreign page (session %q) is answered %d", sid, r.Response.StatusCode)
		}
	}
	e.alive(p)
}

// varies reports whether Vary names the header.
func varies(r *enginetest.Response, name string) bool {
	return slices.ContainsFunc(strings.Split(strings.Join(r.Header.Values("Vary"), ","), ","), func(s string) bool {
		return strings.EqualFold(strings.TrimSpace(s), name)
	})
}

func preflight(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{AllowedOrigins: []string{"https://friend.example"}})
	target := enginetest.Setup{}.URI("polling", "")
	ask := []string{"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: content-type,x-token"}
	h := e.HTTP.HTTP()
	defer h.Close()
	for range 2 { // nothing is left on the connection
		r, err := h.Do("OPTIONS", target, nil, append(ask, friend)...)
		if err != nil {
			t.Fatal(err)
		}
		if r.Status != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://friend.example" ||
			!strings.Contains(r.Header.Get("Access-Control-Allow-Methods"), "POST") ||
			r.Header.Get("Access-Control-Allow-Headers") != "content-type,x-token" {
			t.Errorf("answered %d %v", r.Status, r.Header)
		}
	}
	if r := e.do("OPTIONS", target, nil, append(ask, evil)...); r.Status != 403 || r.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("a foreign page is answered %d %v", r.Status, r.Header)
	}
}
