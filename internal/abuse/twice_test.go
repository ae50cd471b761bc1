package abuse

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// GETs at once on one session end it: one is answered with the close packet, the others are refused. What was
// queued is in at most one of them.
func TestTwoPolls(t *testing.T) {
	attack(t, spec{}, 20, 300, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		for i := range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			polls := []*wire{x.wire(t), x.wire(t)}
			if i%2 == 0 {
				if err := p.Send(enginetest.Text("once")); err != nil {
					t.Fatal(err)
				}
				polls = append(polls, x.wire(t)) // the first is answered with it and gone
			}
			for _, w := range polls {
				w.say(t, request("GET", p.URI(), ""))
			}
			read, refused := "", 0
			for _, w := range polls {
				a := w.answer(t, "GET")
				if a.status == 400 && (a.body == "" || a.body == unknownSession) {
					refused++
				} else {
					read += a.body + " "
				}
				w.end()
			}
			if read != "1 " && (len(polls) == 2 || read != "4once 1 " && read != "1 4once " && read != "4once ") || refused == 0 {
				t.Fatalf("%d polls: %d are refused, others read %q", len(polls), refused, read)
			}
			p.Close()
		}
		x.ended(t, before, transportError, n)
	})
}

// Of two POSTs at once the second is refused and ends the session. Nothing of it arrives, and nothing of the
// first twice.
func TestTwoPosts(t *testing.T) {
	attack(t, spec{}, 10, 100, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		for range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			held := x.counts(t).Messages + 1
			a, b := x.wire(t), x.wire(t)
			a.say(t, request("POST", p.URI(), "4hold\x1e4never"))
			x.awaited(t, commandCount, "the first is in OnMessage", func(f figures) bool { return f.Messages == held })
			if answer := b.exchange(t, request("POST", p.URI(), "4second")); answer.status != 400 || answer.body != "" {
				t.Errorf("the second is answered %+v", answer)
			}
			x.tell(t, commandRelease)
			if answer := a.answer(t, "POST"); answer.status != 200 || answer.body != "ok" {
				t.Errorf("the first is answered %+v", answer)
			}
			a.end()
			b.end()
			p.Close()
		}
		x.ended(t, before, transportError, n)
		if got := x.counts(t).Messages - before.Messages; got != n {
			t.Errorf("%d messages, want the %d that were first", got, n)
		}
	})
}

// After an upgrade the session's id is good for nothing on long-polling, and a poll under way sees nothing of
// what comes by WebSocket.
func TestPollingBesideWebSocket(t *testing.T) {
	attack(t, spec{}, 10, 100, func(t *testing.T, x *target, n int) {
		for range n {
			p, err := x.http().DialPolling(enginetest.Setup{})
			if err != nil {
				t.Fatal(err)
			}
			uri := p.URI()
			c, err := p.Upgrade()
			if err != nil {
				t.Fatal(err)
			}
			echoes(t, c, enginetest.Text("by WebSocket"))
			w := x.wire(t)
			for _, text := range []string{request("GET", uri, ""), request("POST", uri, "4stolen"), request("DELETE", uri, "")} {
				if a := w.exchange(t, text); a.status != 400 || a.body != badRequest {
					t.Errorf("answered %+v", a)
				}
			}
			w.end()
			leave(t, x, c)
			c.Close()
		}
	})
}

// A session is of one revision and one transport; another method is none of its.
func TestSessionOfAnotherKind(t *testing.T) {
	attack(t, spec{}, 5, 50, func(t *testing.T, x *target, n int) {
		for range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			w := x.wire(t)
			for target, body := range map[string]string{
				strings.Replace(p.URI(), "EIO=4", "EIO=3", 1):                         badRequest,
				strings.Replace(p.URI(), "EIO=4", "EIO=5", 1):                         badRequest,
				strings.Replace(p.URI(), "EIO=4&", "", 1):                             badRequest,
				strings.Replace(p.URI(), "polling", "websocket", 1):                   badRequest,
				strings.Replace(p.URI(), "polling", "webtransport", 1):                `{"code":0,"message":"Transport unknown"}`,
				strings.Replace(p.URI(), "transport=polling", "transport=POLLING", 1): `{"code":0,"message":"Transport unknown"}`,
			} {
				for _, method := range []string{"GET", "POST"} {
					if a := w.exchange(t, request(method, target, "4stolen")); a.status != 400 || a.body != body {
						t.Errorf("%s %s is answered %+v", method, target, a)
					}
				}
			}
			if a := w.exchange(t, request("PUT", p.URI(), "4stolen")); a.status != 400 || !strings.Contains(a.body, `"code":2`) {
				t.Errorf("a PUT is answered %+v", a)
			}
			if a := w.exchange(t, upgradeRequest(p.URI())); a.status != 400 || a.body != badRequest {
				t.Errorf("an Upgrade by polling is answered %+v", a)
			}
			w.end()
			leave(t, x, p)
		}
	})
}

// The id is the credential: from another address it is as good as from the first. What one reads the other
// does not.
func TestSessionFromAnotherAddress(t *testing.T) {
	attack(t, spec{}, 5, 100, func(t *testing.T, x *target, n int) {
		elsewhere := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}}
		for i := range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			c, err := elsewhere.Dial("tcp4", x.addr)
			if err != nil {
				t.Fatal(err)
			}
			w := newWire(c)
			text := fmt.Sprint("number ", i)
			if a := w.exchange(t, request("POST", p.URI(), "4"+text)); a.status != 200 {
				t.Errorf("answered %+v", a)
			}
			if a := w.exchange(t, request("GET", p.URI(), "")); a.status != 200 || a.body != "4"+text {
				t.Errorf("answered %+v", a)
			}
			if err := p.Send(enginetest.Text("last"), codec.Packet{Type: codec.Close}); err != nil {
				t.Fatal(err)
			}
			if packets, err := p.Poll(); err != nil || len(packets) != 1 || packets[0].Type != codec.Noop {
				t.Errorf("the owner reads %v, %v", packets, err)
			}
			w.end()
			p.Close()
		}
	})
}
