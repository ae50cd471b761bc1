package engineio_test

import (
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

var upgradePacket = codec.Packet{Type: codec.Upgrade}

// eachRevision runs f for a polling client of each revision on both stacks.
func eachRevision(t *testing.T, config engineio.Config, f func(t *testing.T, e *engine, p *enginetest.Polling)) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, revision := range enginetest.Revisions {
			e := serve(t, on, config)
			check := e.bystander(t)
			f(t, e, e.polling(t, enginetest.Setup{Revision: revision}))
			check()
		}
	})
}

func probe(t *testing.T, p *enginetest.Polling) *enginetest.WebSocket {
	t.Helper()
	w, err := p.Probe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func upgrade(t *testing.T, p *enginetest.Polling) *enginetest.WebSocket {
	t.Helper()
	w, err := p.Upgrade()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func TestUpgradeStepByStep(t *testing.T) {
	upgraded := make(chan *engineio.Session, 16)
	config := engineio.Config{OnUpgrade: func(s *engineio.Session) { upgraded <- s }}
	t.Run("clients", func(t *testing.T) {
		eachRevision(t, config, func(t *testing.T, e *engine, p *enginetest.Polling) {
			s := e.session(t, p)
			startPoll(t, p)
			w := probe(t, p) // sends 2probe and is answered 3probe
			noop(t, p, "the poll under way")
			startPoll(t, p)
			noop(t, p, "a poll after the probe")
			if s.Transport() != engineio.Polling {
				t.Error("upgraded before the 5")
			}
			sendAll(t, s, []codec.Packet{enginetest.Text("kept")})
			if err := w.Send(upgradePacket); err != nil {
				t.Fatal(err)
			}
			expect(t, w, enginetest.Text("kept"))
			eventually(t, "OnUpgrade", func() bool { return s.Transport() == engineio.WebSocket })
			alive(t, w)
		})
	})
	for n := len(upgraded); n > 0; n-- {
		if s := <-upgraded; s.Transport() != engineio.WebSocket {
			t.Error("OnUpgrade of a session on long-polling")
		}
	}
}

func noop(t *testing.T, p *enginetest.Polling, what string) {
	t.Helper()
	r, err := p.Get.Read("GET")
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if packets, err := p.Packets(r); err != nil || len(packets) != 1 || packets[0].Type != codec.Noop {
		t.Fatalf("%s is answered %v, %v", what, packets, err)
	}
}

// What is queued goes to a poll as long as there is one, in the middle of an upgrade too.
func TestMessageDuringUpgradeGoesToThePoll(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		s := e.session(t, p)
		w := probe(t, p)
		sendAll(t, s, []codec.Packet{enginetest.Text("by poll")})
		expect(t, p, enginetest.Text("by poll"))
		if err := p.Send(enginetest.Text("by post")); err != nil {
			t.Fatal(err)
		}
		if err := w.Send(upgradePacket); err != nil {
			t.Fatal(err)
		}
		expect(t, w, enginetest.Text("by post"))
	})
}

func TestPollingAfterTheUpgrade(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		w := upgrade(t, p)
		alive(t, w)
		for _, method := range []string{"GET", "POST"} {
			r, err := e.http.HTTP().Do(method, p.URI(), []byte("4hello"))
			if err != nil || r.Status != 400 || string(r.Body) != badRequest {
				t.Errorf("%s: %+v, %v", method, r, err)
			}
		}
		uri := strings.Replace(p.URI(), "polling", "websocket", 1)
		r, err := e.http.HTTP().Do("GET", uri, nil)
		if err != nil || r.Status != 400 {
			t.Errorf("without Upgrade: %+v, %v", r, err)
		}
		if second, err := p.Probe(); err == nil {
			second.Close()
			t.Error("a second WebSocket is welcome")
		}
		alive(t, w)
	})
}

// A GET that is parked when the 5 comes finds the transport gone.
func TestPollUnderTheUpgrade(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		w := probe(t, p)
		startPoll(t, p)
		if err := w.Send(upgradePacket); err != nil {
			t.Fatal(err)
		}
		r, err := p.Get.Read("GET")
		if err != nil {
			t.Fatal(err)
		}
		if packets, err := p.Packets(r); r.Status != 400 && (err != nil || len(packets) != 1 || packets[0].Type != codec.Noop) {
			t.Errorf("the poll is answered %d %q, %v", r.Status, r.Body, err)
		}
		alive(t, w)
	})
}

// A probe that fails in any way leaves the session as it was, ready for the next.
func TestFailedProbes(t *testing.T) {
	fails := map[string]func(t *testing.T, w *enginetest.WebSocket){
		"leaves at once":     func(_ *testing.T, w *enginetest.WebSocket) { w.Close() },
		"reset":              func(_ *testing.T, w *enginetest.WebSocket) { w.Reset() },
		"closes":             says("1"),
		"wrong probe":        says("2prob"),
		"message first":      says("4hello"),
		"garbage":            says("abc"),
		"nothing":            says(""),
		"probed and left":    func(t *testing.T, w *enginetest.WebSocket) { says("2probe")(t, w); w.Close() },
		"probed, then wrong": func(t *testing.T, w *enginetest.WebSocket) { says("2probe")(t, w); says("4hello")(t, w) },
		"binary": func(t *testing.T, w *enginetest.WebSocket) {
			if err := w.Conn.WriteMessage(2, []byte{4, 1}); err != nil {
				t.Fatal(err)
			}
		},
		"broken frame": func(t *testing.T, w *enginetest.WebSocket) { _, _ = w.Conn.NetConn().Write([]byte{0xff, 0xff}) },
	}
	for name, fail := range fails {
		t.Run(name, func(t *testing.T) {
			eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
				setup := enginetest.Setup{Revision: e.session(t, p).Revision()}
				for range 2 {
					w, err := e.http.DialWebSocket(setup, p.Handshake().SID)
					if err != nil {
						t.Fatal(err)
					}
					fail(t, w)
					if !strings.Contains(name, "left") && !strings.Contains(name, "leaves") && name != "reset" {
						if code := w.CloseCode(); code != 1002 {
							t.Errorf("close code %d, want 1002", code)
						}
					}
					w.Close()
					alive(t, p)
				}
				alive(t, retry(t, p))
			})
		})
	}
}

func says(text string) func(*testing.T, *enginetest.WebSocket) {
	return func(t *testing.T, w *enginetest.WebSocket) {
		t.Helper()
		if err := w.Conn.WriteMessage(1, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
}

// retry upgrades, again and again while the server has not seen the last attempt fail.
func retry(t *testing.T, p *enginetest.Polling) *enginetest.WebSocket {
	t.Helper()
	var w *enginetest.WebSocket
	eventually(t, "a probe is answered", func() (ok bool) {
		var err error
		w, err = p.Probe()
		return err == nil
	})
	t.Cleanup(w.Close)
	if err := w.Send(upgradePacket); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestUpgradeTimeout(t *testing.T) {
	eachRevision(t, engineio.Config{UpgradeTimeout: 1500 * time.Millisecond}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		w := probe(t, p)
		if code := w.CloseCode(); code != 1002 {
			t.Errorf("close code %d, want 1002", code)
		}
		w.Close()
		alive(t, p)
	})
}

func TestSecondProbeWhileOneIsUnderWay(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		first := probe(t, p)
		if second, err := p.Probe(); err == nil {
			second.Close()
			t.Error("a second probe is answered")
		}
		if err := first.Send(upgradePacket); err != nil {
			t.Fatal(err)
		}
		alive(t, first)
	})
}

// The session ends in the middle: both connections are told.
func TestCloseDuringProbe(t *testing.T) {
	eachRevision(t, engineio.Config{}, func(t *testing.T, e *engine, p *enginetest.Polling) {
		startPoll(t, p)
		w := probe(t, p)
		noop(t, p, "the poll under way")
		e.session(t, p).CloseNow()
		e.ended(t, engineio.ReasonServerClose)
		if code := w.CloseCode(); code != 1002 {
			t.Errorf("close code %d, want 1002", code)
		}
		w.Close()
		startPoll(t, p)
		lastWord(t, p, closePacket)
	})
}

// The reference loses what comes in one segment with the handshake.
func TestFramesInOneSegment(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, o := range []enginetest.Options{{}, {TLS: true}, {MaxConnsPerIP: 1000}, {ReduceMemoryUsage: true}} {
			framesInOneSegment(t, serve(t, on, engineio.Config{}, o))
		}
	})
}

func framesInOneSegment(t *testing.T, e *engine) {
	t.Helper()
	for _, sid := range []string{"", e.polling(t, enginetest.Setup{}).Handshake().SID} {
		frames := masked("4one") + masked("4two")
		if sid != "" {
			frames = masked("2probe") + masked("5") + frames
		}
		h := e.http.HTTP()
		request := enginetest.Request("GET", enginetest.Setup{}.URI("websocket", sid), "localhost", nil, webSocketLines()...)
		if err := h.Write(append(request, frames...)); err != nil {
			t.Fatal(err)
		}
		if got := readUntil(t, h, "4two"); !strings.Contains(got, "4one") {
			t.Errorf("got %q", got)
		}
		h.Close()
	}
}

// masked is a text frame of a client, with a mask of zeros.
func masked(text string) string {
	return "\x81" + string([]byte{0x80 | byte(len(text))}) + "\x00\x00\x00\x00" + text
}

func readUntil(t *testing.T, h *enginetest.HTTP, end string) string {
	t.Helper()
	c, err := h.Conn()
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	b := make([]byte, 1024)
	for !strings.Contains(got.String(), end) {
		n, err := c.Read(b)
		got.Write(b[:n])
		if err != nil {
			t.Fatalf("%v after %q", err, got.String())
		}
	}
	return got.String()
}
