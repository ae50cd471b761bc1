package abuse

import (
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// Handshakes that nothing follows fill the server up to MaxSessions, 503 says so to all others, and when the
// heartbeat has ended them there is room again. A session that nobody asks about costs what it costs, and no
// more afterwards.
func TestHandshakesWithoutFollowUp(t *testing.T) {
	most := size(1500, 100_000)
	interval := time.Duration(size(4, 8)) * time.Second // longer than it takes: all are open at once
	s := spec{MaxSessions: most, Goroutines: 2 * most, PingInterval: interval, PingTimeout: time.Second}
	attack(t, s, most+100, most+10_000, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		var open, refused atomic.Int64
		if err := crowd(8, 8, func(worker int) error { return x.handshakes(worker, n/8, &open, &refused) }); err != nil {
			t.Fatal(err)
		}
		now := x.counts(t)
		if now.Len > most || now.Refused["503/3"]-before.Refused["503/3"] != int(refused.Load()) || refused.Load() == 0 {
			t.Errorf("%d are open, %d opened, %d refused; the server says %v", now.Len, open.Load(), refused.Load(), now.Refused)
		}
		x.ended(t, before, "ping timeout", int(open.Load()))
	})
}

// handshakes makes n of them on one connection and counts the answers, of which there may be two kinds.
func (x *target) handshakes(worker, n int, open, refused *atomic.Int64) error {
	w, err := x.dial()
	if err != nil {
		return err
	}
	defer w.end()
	const batch = 8 // pipelined: none of them has to wait
	for made := 0; made < n; made += batch {
		text := request("GET", fmt.Sprintf("/engine.io/?EIO=%d&transport=polling", revisions[worker%2]), "")
		if _, err := io.WriteString(w, strings.Repeat(text, batch)); err != nil {
			return err
		}
		for range batch {
			a, err := w.read("GET")
			switch {
			case err != nil:
				return err
			case a.status == 200 && strings.Contains(a.body, `0{"sid":"`):
				open.Add(1)
			case a.status == 503 && a.get("Retry-After") == "5" && a.body == `{"code":3,"message":"Too many sessions"}`:
				refused.Add(1)
			default:
				return fmt.Errorf("answered %+v", a)
			}
		}
	}
	return nil
}

// A client that resets its connection after the handshake has left: by WebSocket at once, by polling with the
// heartbeat, since it may come back on another connection.
func TestHandshakeThenReset(t *testing.T) {
	s := spec{Goroutines: size(200, 20_000), PingInterval: 500 * time.Millisecond, PingTimeout: 200 * time.Millisecond}
	attack(t, s, 100, 10_000, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		ways := []string{request("GET", openPath, ""), upgradeRequest("/engine.io/?EIO=4&transport=websocket")}
		if err := crowd(n, 8, func(i int) error { return x.once(ways[i%2]) }); err != nil {
			t.Fatal(err)
		}
		x.ended(t, before, "ping timeout", n/2)
		x.ended(t, before, "transport close", n/2)
	})
}

// once opens a session on a connection of its own, and resets it when the open packet has come.
func (x *target) once(text string) error {
	w, err := x.dial()
	if err != nil {
		return err
	}
	defer w.end()
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	a, err := w.read("GET")
	switch {
	case err != nil:
		return err
	case a.status == 101:
		_, _, err = w.next() // without it a write may fail, which is another reason
		return err
	case a.status != 200:
		return fmt.Errorf("answered %+v", a)
	}
	return nil
}

// A reset that comes before anybody can have looked at the request leaves a session or none, and none for long.
func TestResetInTheMiddle(t *testing.T) {
	s := spec{Goroutines: size(200, 20_000), PingInterval: 500 * time.Millisecond, PingTimeout: 200 * time.Millisecond}
	attack(t, s, 300, 10000, func(t *testing.T, x *target, n int) {
		texts := []string{request("GET", openPath, ""), upgradeRequest("/engine.io/?EIO=4&transport=websocket"),
			"GET " + openPath, "POST " + openPath + " HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n4"}
		err := crowd(n, 8, func(i int) error {
			c, err := net.DialTimeout("tcp4", x.addr, enginetest.Patience)
			if err != nil {
				return err
			}
			_, err = io.WriteString(c, texts[i%len(texts)])
			enginetest.Reset(c)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		x.awaited(t, commandCount, "all sessions ended", func(f figures) bool { return f.Len == 0 })
	})
}
