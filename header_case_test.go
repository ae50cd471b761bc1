package engineio_test

import (
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// spellings are the cases that header names come in; HTTP/2 and some proxies know the second alone.
var spellings = map[string]func(string) string{
	"as in documents": strings.Clone, "lower": strings.ToLower, "upper": strings.ToUpper,
}

// eachSpelling runs f for an engine behind a server that normalizes header names, and one that does not. spell
// writes the names of header lines in one case.
func eachSpelling(t *testing.T, config func() engineio.Config, f func(t *testing.T, e *engine, spell func(...string) []string)) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, raw := range []bool{false, true} {
			for name, spelled := range spellings {
				e := serve(t, on, config(), enginetest.Options{DisableHeaderNamesNormalizing: raw})
				if raw {
					name += ", names as sent"
				}
				t.Run(name, func(t *testing.T) {
					f(t, e, func(lines ...string) (out []string) {
						for _, line := range lines {
							name, value, _ := strings.Cut(line, ":")
							out = append(out, spelled(name)+":"+value)
						}
						return out
					})
				})
			}
		}
	})
}

func TestChecksInAnyCase(t *testing.T) {
	const polling, webSocket = "/engine.io/?EIO=4&transport=polling", "/engine.io/?EIO=4&transport=websocket"
	const own, foreign = "Origin: https://app.example", "Origin: https://evil.example"
	upgrade := []string{
		"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
	}
	config := func() engineio.Config { return engineio.Config{AllowedOrigins: []string{"https://app.example"}} }
	eachSpelling(t, config, func(t *testing.T, e *engine, spell func(...string) []string) {
		for _, c := range []struct {
			what, uri string
			lines     []string
			status    int
		}{
			{"WebSocket", webSocket, spell(upgrade...), 101},
			{"WebSocket with an allowed origin", webSocket, spell(append(upgrade, own)...), 101},
			{"WebSocket with a foreign origin", webSocket, spell(append(upgrade, foreign)...), 403},
			{"WebSocket with a foreign origin in lower case", webSocket, append(upgrade, "origin: https://evil.example"), 403},
			{"a foreign origin", polling, spell(foreign), 403},
			{"a foreign origin in upper case", polling, []string{"ORIGIN: https://evil.example"}, 403},
			{"a foreign origin behind an allowed one", polling, append(spell(foreign), own), 403},
			{"an allowed origin behind a foreign one", polling, append([]string{own}, spell(foreign)...), 403},
			{"an empty origin before a foreign one", polling, append([]string{"Origin:"}, spell(foreign)...), 403},
			{"a poll that asks for an upgrade", polling, spell(upgrade...), 400},
			{"JSONP of another site", polling + "&j=0", spell("Sec-Fetch-Site: cross-site", "Referer: https://evil.example/"), 403},
			{"JSONP of an allowed site", polling + "&j=0", spell("Sec-Fetch-Site: cross-site", "Referer: https://app.example/"), 200},
			{"JSONP of this site", polling + "&j=0", spell("Sec-Fetch-Site: same-origin"), 200},
		} {
			h := e.http.HTTP()
			if r, err := h.Do("GET", c.uri, nil, c.lines...); err != nil || r.Status != c.status {
				t.Errorf("%s: %+v, %v; want %d", c.what, r, err, c.status)
			}
			h.Close()
		}
	})
}

func TestAnswersToHeadersInAnyCase(t *testing.T) {
	const uri = "/engine.io/?EIO=4&transport=polling"
	config := func() engineio.Config {
		return engineio.Config{
			AllowedOrigins: []string{"https://app.example"}, TrustedProxies: []string{"127.0.0.1"}, Cookie: &engineio.Cookie{},
			CompressionThreshold: 1, OnConnect: func(s *engineio.Session) { _ = s.SendText(s.RemoteAddr().Addr().String()) },
		}
	}
	eachSpelling(t, config, func(t *testing.T, e *engine, spell func(...string) []string) {
		h := e.http.HTTP()
		defer h.Close()
		r, err := h.Do("OPTIONS", uri, nil, spell("Origin: https://app.example", "Access-Control-Request-Headers: x-custom")...)
		if err != nil || r.Status != 204 || r.Header.Get("Access-Control-Allow-Origin") != "https://app.example" ||
			r.Header.Get("Access-Control-Allow-Headers") != "x-custom" {
			t.Errorf("a preflight: %+v, %v", r, err)
		}
		r, err = h.Do("GET", uri, nil, spell("Origin: https://page.example", "X-Forwarded-For: 203.0.113.9",
			"X-Forwarded-Host: page.example", "X-Forwarded-Proto: https")...)
		if err != nil || r.Status != 200 || !strings.Contains(string(r.Body), "203.0.113.9") ||
			!strings.Contains(strings.ToLower(r.Header.Get("Set-Cookie")), "secure") {
			t.Errorf("behind a proxy: %+v, %v", r, err)
		}
		r, err = h.Do("GET", uri, nil, spell("Accept-Encoding: gzip")...)
		if err != nil || r.Status != 200 || r.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("with Accept-Encoding: %+v, %v", r, err)
		}
	})
}
