package engineio_test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

const tooManyOfOne = `{"code":3,"message":"Too many sessions from this address"}`

// turnedAway fails unless a handshake is refused for the sessions of its address.
func turnedAway(t *testing.T, e *engine, setup enginetest.Setup) {
	t.Helper()
	r := handshake(t, e, setup)
	if r.Status != 429 || string(r.Body) != tooManyOfOne || r.Header.Get("Retry-After") != "5" {
		t.Errorf("%s %v: %d %s, Retry-After %q", setup.Way, setup.Header, r.Status, r.Body, r.Header.Get("Retry-After"))
	}
}

// statusFrom is the answer to a handshake from an address of this machine. The session, if there is one, ends.
func statusFrom(t *testing.T, e *engine, local string, setup enginetest.Setup) int {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: enginetest.Patience}
	c, err := dialer.Dial("tcp4", e.http.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(enginetest.Patience))
	var lines []string
	if setup.Way == enginetest.ByWebSocket {
		lines = webSocketLines()
	}
	request := enginetest.Request("GET", setup.URI(string(setup.Way), ""), "localhost", nil, lines...)
	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Body.Close()
	return r.StatusCode
}

func TestMaxSessionsPerIP(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxSessionsPerIP: 2})
		first, second := e.connect(t, setup), e.connect(t, setup)
		turnedAway(t, e, setup)
		success := 200
		if setup.Way == enginetest.ByWebSocket {
			success = 101
		}
		if got := statusFrom(t, e, "127.0.0.2", setup); got != success {
			t.Errorf("another address is answered %d", got)
		}
		alive(t, first)
		alive(t, second)
	})
}

// A place is free again however a client and its session part.
func TestPlaceOfAnAddressIsFreeAgain(t *testing.T) {
	ends := map[string]func(*testing.T, *engine, enginetest.Client){
		"client":   func(t *testing.T, _ *engine, c enginetest.Client) { _ = c.Send(codec.Packet{Type: codec.Close}) },
		"Close":    func(t *testing.T, e *engine, c enginetest.Client) { e.session(t, c).Close(); _, _ = enginetest.Next(c) },
		"CloseNow": func(t *testing.T, e *engine, c enginetest.Client) { e.session(t, c).CloseNow() },
		"garbage":  func(t *testing.T, _ *engine, c enginetest.Client) { _ = c.Send(codec.Packet{Type: 9 + 48}) },
		"panic":    func(t *testing.T, _ *engine, c enginetest.Client) { _ = c.Send(enginetest.Text("panic")) },
		"reset": func(t *testing.T, _ *engine, c enginetest.Client) {
			if p, ok := c.(*enginetest.Polling); ok {
				startPoll(t, p) // nobody notices one that has no request under way
			}
			c.Reset()
		},
	}
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{
			MaxSessionsPerIP: 1,
			OnMessage:        func(_ *engineio.Session, m engineio.Message) { panic(string(m.Data)) },
		})
		for name, end := range ends {
			c := e.connect(t, setup)
			turnedAway(t, e, enginetest.Setup{Way: enginetest.ByPolling})
			end(t, e, c)
			eventually(t, name+": the place is free", func() bool { return e.Places() == 0 })
			c.Close()
		}
		e.connect(t, setup)
	})
}

// Behind a trusted proxy clients are told apart by what it says, and by nothing else.
func TestMaxSessionsPerForwardedAddress(t *testing.T) {
	for _, c := range []struct{ first, same, other string }{
		{"203.0.113.1", "203.0.113.1", "203.0.113.2"},
		{"203.0.113.1", "::ffff:203.0.113.1", "203.0.113.9"},
		{"203.0.113.1", "203.0.113.1:4711", "203.0.114.1"},
		{"203.0.113.1", "203.0.113.9, 203.0.113.1", "203.0.113.1, 203.0.113.9"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:3::1"},
		{"2001:db8:1:2::1", "[2001:db8:1:2::7]:4711", "2001:db8:1:2::1, 2001:db8:0:2::1"},
	} {
		t.Run(strings.ReplaceAll(c.same, "/", "_"), func(t *testing.T) {
			eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
				e := serve(t, on, engineio.Config{MaxSessionsPerIP: 1, TrustedProxies: []string{"127.0.0.1"}})
				from := func(address string) enginetest.Setup {
					s := setup
					s.Header = []string{"X-Forwarded-For: " + address}
					return s
				}
				alive(t, e.connect(t, from(c.first)))
				turnedAway(t, e, from(c.same))
				alive(t, e.connect(t, from(c.other)))
				turnedAway(t, e, from(c.other))
				alive(t, e.connect(t, setup)) // the proxy itself
				turnedAway(t, e, setup)
			})
		})
	}
}

// A stranger cannot say from where he comes.
func TestForwardedAddressOfAStranger(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxSessionsPerIP: 1})
		e.connect(t, setup)
		setup.Header = []string{"X-Forwarded-For: 203.0.113.1"}
		turnedAway(t, e, setup)
	})
}

// A client in several addresses has a session in each, and goes on with it from anywhere.
func TestClientMovesBetweenAddresses(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{MaxSessionsPerIP: 1, TrustedProxies: []string{"127.0.0.1"}})
		moving := []string{"X-Forwarded-For: 203.0.113.1", "X-Moving: yes"}
		p := e.polling(t, enginetest.Setup{Header: moving})
		alive(t, p)
		moving[0] = "X-Forwarded-For: 203.0.113.2" // the client's setup shares it
		alive(t, p)
		away := e.connect(t, enginetest.Setup{Header: moving[:1]}) // nobody has opened one there
		turnedAway(t, e, enginetest.Setup{Header: []string{"X-Forwarded-For: 203.0.113.1"}})
		e.session(t, p).CloseNow()
		alive(t, e.connect(t, enginetest.Setup{Header: []string{"X-Forwarded-For: 203.0.113.1"}}))
		alive(t, away)
	})
}

// By default an address has no bound but that of all.
func TestSessionsPerIPByDefault(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxSessions: 5})
		for range 5 {
			alive(t, e.connect(t, setup))
		}
		if r := handshake(t, e, setup); r.Status != 503 || string(r.Body) != `{"code":3,"message":"Too many sessions"}` {
			t.Errorf("%d %s", r.Status, r.Body)
		}
	})
}
