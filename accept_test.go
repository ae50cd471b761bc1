package engineio_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
)

// An Upgrade header counts only with the option "upgrade" in Connection, and never in HTTP/1.0: proxies send it
// with every request, where they are told to.
func TestPollsWithAnUpgradeHeader(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for _, c := range []struct {
			lines  string // "|" between them
			status int
		}{
			{"Upgrade: websocket", 200},
			{"Upgrade: websocket|Connection: keep-alive", 200},
			{"Upgrade: websocket|Connection: close", 200},
			{"Upgrade: websocket|Connection: x-upgrade", 200},
			{"Upgrade: h2c|Connection: Upgrade", 200},
			{"Upgrade: h2c|Connection: Upgrade, HTTP2-Settings|HTTP2-Settings: x", 200},
			{"Connection: Upgrade", 200},
			{"Upgrade: websocket|Connection: Upgrade", 400},
			{"Upgrade: h2c|Upgrade: websocket|Connection: keep-alive|Connection: upgrade", 400},
			{"Upgrade: h2c, WebSocket|Connection: keep-alive, UPGRADE", 400},
		} {
			for _, version := range []string{"1.1", "1.0"} {
				want := c.status
				if version == "1.0" {
					want = 200
				}
				for _, body := range []string{"", "4hello"} {
					h, method, uri := e.http.HTTP(), "GET", "/engine.io/?EIO=4&transport=polling"
					if body != "" {
						r, err := h.Do("GET", uri, nil)
						if err != nil {
							t.Fatal(err)
						}
						_, rest, _ := strings.Cut(string(r.Body), `"sid":"`)
						sid, _, _ := strings.Cut(rest, `"`)
						method, uri = "POST", uri+"&sid="+sid
					}
					text := fmt.Sprintf("%s %s HTTP/%s\r\nHost: %s\r\nContent-Length: %d\r\n%s\r\n\r\n%s", method, uri, version,
						e.http.Addr, len(body), strings.ReplaceAll(c.lines, "|", "\r\n"), body)
					if err := h.Write([]byte(text)); err != nil {
						t.Fatal(err)
					}
					if r, err := h.Read(method); err != nil || r.Status != want {
						t.Errorf("%s by HTTP/%s with %s: %+v, %v; want %d", method, version, c.lines, r, err, want)
					}
					h.Close()
				}
			}
		}
	})
}

// What is wrong with a handshake by WebSocket is said, and not taken for no handshake.
func TestWebSocketsWithHalfAnUpgrade(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for lines, want := range map[string]int{
			"Upgrade: websocket":                                  426,
			"Upgrade: websocket|Connection: keep-alive":           426,
			"Upgrade: h2c|Upgrade: websocket|Connection: x":       426,
			"Upgrade: h2c|Connection: Upgrade":                    400,
			"Connection: Upgrade":                                 400,
			"Upgrade: h2c|Upgrade: websocket|Connection: upgrade": 101,
		} {
			h := e.http.HTTP()
			header := append(strings.Split(lines, "|"), "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
			r, err := h.Do("GET", "/engine.io/?EIO=4&transport=websocket", nil, header...)
			if err != nil || r.Status != want {
				t.Errorf("%s: %+v, %v; want %d", lines, r, err, want)
			}
			h.Close()
		}
	})
}
