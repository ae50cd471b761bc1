package abuse

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// readTimeout is short, and long enough for normal clients on a busy machine.
const readTimeout = 1500 * time.Millisecond

// A slow request begins fast and goes on a byte at a time. fasthttp answers 408 where the body is slow and 400
// where it is the header; Fiber always answers 408.
type slow struct {
	name, fast, drip string
	fasthttp, fiber  string // statuses
}

var long = strings.Repeat("x", 200) // ten seconds of it

var slows = []slow{
	{"request line", "", "GET " + openPath + "&" + long, "400", "408"},
	{"header", "GET " + openPath + " HTTP/1.1\r\n", "Host: a\r\nX-Slow: " + long, "400", "408"},
	{"WebSocket", "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nUpgrade: websocket\r\n", "X-Slow: " + long, "400", "408"},
	{"body", "POST %s HTTP/1.1\r\nHost: a\r\nContent-Length: 201\r\n\r\n", "4" + long, "408", "408"},
	{"chunked", "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", "c9\r\n4" + long, "408", "408"},
	{"chunk size", "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1", ";" + long, "400", "408"},
	{"trailer", "POST %s HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "X-Slow: " + long, "400", "408"},
	{"continue", "POST %s HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 201\r\n\r\n", "4" + long, "100 408", "100 408"},
}

// Requests that arrive byte by byte end with ReadTimeout, whatever part of them is slow. Others are served
// meanwhile, and the session that is named in them does not suffer.
func TestSlowRequestsEnd(t *testing.T) {
	attack(t, spec{ReadTimeout: readTimeout}, 2, 150, func(t *testing.T, x *target, n int) {
		x.struck = n * len(slows)
		p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
		before := x.counts(t)
		done := make(chan error, 1)
		go func() {
			done <- crowd(x.struck, x.struck, func(i int) error { return slows[i%len(slows)].attack(x, p.URI()) })
		}()
		served(t, x)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got, want := x.counts(t).Messages-before.Messages, 2*len(enginetest.Ways)*len(revisions); got != want {
			t.Errorf("%d messages, want the %d of normal clients", got, want)
		}
		leave(t, x, p)
	})
}

func (s slow) attack(x *target, uri string) error {
	w, err := x.dial()
	if err != nil {
		return err
	}
	defer w.end()
	if _, err := io.WriteString(w, strings.Replace(s.fast, "%s", uri, 1)); err != nil {
		return err
	}
	all, err := drip(w, s.drip)
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	want := s.fasthttp
	if x.Fiber {
		want = s.fiber
	}
	if got := statuses(all); got != want {
		return fmt.Errorf("%s: answered %q, want %q", s.name, got, want)
	}
	return nil
}

// drip sends s a byte at a time until the server hangs up, and returns its answers. It is an error when the
// server waits until s is through.
func drip(w *wire, s string) (all []answer, err error) {
	hungUp := make(chan error, 1)
	go func() {
		for {
			a, err := w.read("POST")
			if err != nil {
				hungUp <- err
				return
			}
			all = append(all, a)
		}
	}()
	for i := range len(s) {
		select {
		case err := <-hungUp:
			return all, unlessGone(err)
		case <-time.After(50 * time.Millisecond):
		}
		_, _ = io.WriteString(w, s[i:i+1]) // the reader knows better when it fails
	}
	w.end()
	<-hungUp
	return all, fmt.Errorf("the server waits for %d bytes, one at a time", len(s))
}

// Connections on which nothing comes end with ReadTimeout too, and say nothing or that it was too long.
func TestSilentConnectionsEnd(t *testing.T) {
	attack(t, spec{ReadTimeout: readTimeout}, 50, 5000, func(t *testing.T, x *target, n int) {
		done := make(chan error, 1)
		go func() {
			done <- crowd(n, n, func(int) error {
				w, err := x.dial()
				if err != nil {
					return err
				}
				defer w.end()
				all, err := w.all("GET")
				if err == nil && len(all) > 0 && statuses(all) != "408" {
					err = fmt.Errorf("answered %s", statuses(all))
				}
				return err
			})
		}()
		served(t, x)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// Without a ReadTimeout, or within it, such connections stay, and others are served all the same. A request
// that has come to its end at last is answered.
func TestSlowRequestsDoNotHoldUpOthers(t *testing.T) {
	attack(t, spec{}, 50, 5000, func(t *testing.T, x *target, n int) {
		const head, tail = "GET " + openPath + "&j= HTTP/1.1\r\nHost: victim.example\r\n" + ownPage + "\r\nConnection: cl", "ose\r\n\r\n"
		var wires []*wire
		defer func() {
			for _, w := range wires {
				w.end()
			}
		}()
		for range n {
			w, err := x.dial()
			if err != nil {
				t.Fatal(err)
			}
			wires = append(wires, w)
			w.say(t, head)
		}
		served(t, x)
		before := x.counts(t)
		for _, w := range wires {
			for i := range len(tail) {
				w.say(t, tail[i:i+1])
			}
			if all := w.answers(t, "GET"); statuses(all) != "200" {
				t.Fatalf("answered %q", statuses(all))
			}
		}
		if got := x.counts(t).Len; got != n {
			t.Errorf("%d sessions, want %d", got, n)
		}
		x.tell(t, commandClose)
		x.ended(t, before, "server close", n)
	})
}
