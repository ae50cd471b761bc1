package engineio

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// probing is a WebSocket that tries to upgrade s.
func probing(t *testing.T, s *Session) *pipe {
	t.Helper()
	w := newWebSocket(s)
	return servePipe(t, w, w.serveProbe, s.beginUpgrade(w))
}

// checkPolling fails unless s is an open session on long-polling with nothing of an upgrade left.
func checkPolling(t *testing.T, s *Session) {
	t.Helper()
	synctest.Wait()
	if s.over.Load() || s.Transport() != Polling || s.probing != nil || s.probed.Load() {
		t.Fatalf("over %v, on %v, probing %v, probed %v", s.over.Load(), s.Transport(), s.probing != nil, s.probed.Load())
	}
	if err := s.SendText("still here"); err != nil {
		t.Fatal(err)
	}
	if _, body := get(s); body != "4still here" {
		t.Errorf("a GET has %q", body)
	}
}

func TestUpgrade(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			upgraded := 0
			srv := newTestServer(Config{
				OnUpgrade: func(s *Session) { upgraded++; _ = s.SendText("welcome") },
				OnMessage: func(s *Session, m Message) { _ = s.SendText(string(m.Data)) },
			})
			s := openPolling(t, srv, rev)
			_ = s.SendText("from before")
			c := probing(t, s)
			c.upgrade(t)
			c.expect(t, "1 4from before", "1 4welcome")
			c.send("4echo")
			c.expect(t, "1 4echo")
			if s.Transport() != WebSocket || upgraded != 1 || s.probing != nil || s.probed.Load() {
				t.Errorf("on %v, OnUpgrade ran %d times", s.Transport(), upgraded)
			}
			if status, _ := get(s); status != 400 {
				t.Errorf("a GET after the upgrade is answered %d", status)
			}
			if s.beginUpgrade(newWebSocket(s)) {
				t.Error("a session on WebSocket is upgraded again")
			}
			c.close()
			untilEnd(t, s, ReasonTransportClose)
		})
	}
}

// The client has the 3probe and waits for its poll to come home.
func TestProbeReleasesAParkedGet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		poll := make(chan string, 2)
		go func() { _, body := get(s); poll <- body }()
		synctest.Wait()
		c := probing(t, s)
		c.send("2probe")
		c.expect(t, "1 3probe")
		if body := <-poll; body != "6" {
			t.Errorf("the parked GET has %q, want a noop", body)
		}
		// One that comes now is held for a moment, as the 5 may be on its way.
		start := time.Now()
		if _, body := get(s); body != "6" || time.Since(start) != noopDelay {
			t.Errorf("a GET during the probe has %q after %v, want a noop after %v", body, time.Since(start), noopDelay)
		}
		go func() { status, _ := get(s); poll <- map[int]string{400: "gone"}[status] }()
		synctest.Wait()
		c.send("5")
		if body := <-poll; body != "gone" {
			t.Error("a GET that is parked when the 5 comes is answered with a payload")
		}
		c.close()
	})
}

// A probe that fails leaves the session as it was, and the next one works.
func TestProbeFails(t *testing.T) {
	for _, c := range []struct {
		name string
		play func(t *testing.T, c *pipe)
		told bool // the client is told by a close frame
	}{
		{"5 without a probe of another", func(_ *testing.T, c *pipe) { c.send("4hello") }, true},
		{"a ping that is no probe", func(_ *testing.T, c *pipe) { c.send("2") }, true},
		{"a ping with a tail", func(_ *testing.T, c *pipe) { c.send("2probes") }, true},
		{"a pong", func(_ *testing.T, c *pipe) { c.send("3probe") }, true},
		{"binary", func(_ *testing.T, c *pipe) { c.sendFrame(ws.Binary, []byte("2probe")) }, true},
		{"no packet", func(_ *testing.T, c *pipe) { c.send("x") }, true},
		{"nothing at all", func(_ *testing.T, c *pipe) { c.send("") }, true},
		{"a close frame", func(_ *testing.T, c *pipe) { c.sendFrame(ws.Close, nil) }, true},
		{"a message after the probe", func(t *testing.T, c *pipe) { c.send("2probe"); c.expect(t, "1 3probe"); c.send("4x") }, true},
		{"the connection ends", func(_ *testing.T, c *pipe) { c.close() }, false},
		{"the connection ends after the probe", func(t *testing.T, c *pipe) { c.send("2probe"); c.expect(t, "1 3probe"); c.close() }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openPolling(t, newTestServer(Config{}), V4)
				first := probing(t, s)
				c.play(t, first)
				if c.told {
					first.expect(t, "8 1002 upgrade failed")
				}
				first.close()
				checkPolling(t, s)
				second := probing(t, s)
				second.upgrade(t)
				synctest.Wait()
				if s.Transport() != WebSocket {
					t.Error("the second try fails")
				}
				second.close()
			})
		})
	}
}

// Some clients send the 5 at once; the reference takes it.
func TestUpgradeWithoutAProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		poll := make(chan int, 1)
		go func() { status, _ := get(s); poll <- status }()
		synctest.Wait()
		c := probing(t, s)
		c.send("5")
		synctest.Wait()
		if s.Transport() != WebSocket || <-poll != 400 {
			t.Errorf("on %v", s.Transport())
		}
		c.close()
	})
}

func TestPingFrameDuringTheProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		c := probing(t, s)
		c.sendFrame(ws.Ping, []byte("are you there"))
		c.expect(t, "10 are you there")
		c.upgrade(t)
		c.close()
		untilEnd(t, s, ReasonTransportClose)
	})
}

func TestUpgradeTimeout(t *testing.T) {
	for name, probe := range map[string]bool{"silent": false, "no 5": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				s := openPolling(t, newTestServer(Config{UpgradeTimeout: 3 * time.Second}), V4)
				c := probing(t, s)
				if probe {
					c.send("2probe")
					c.expect(t, "1 3probe")
				}
				c.expect(t, "8 1002 upgrade failed")
				if d := time.Since(start); d != 3*time.Second {
					t.Errorf("given up after %v", d)
				}
				c.close()
				checkPolling(t, s)
				s.CloseNow()
			})
		})
	}
}

func TestOneProbeAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{UpgradeTimeout: 3 * time.Second}), V4)
		first, second, third := newWebSocket(s), newWebSocket(s), newWebSocket(s)
		if !s.beginUpgrade(first) || s.beginUpgrade(second) {
			t.Fatal("two WebSockets may upgrade at once, or none")
		}
		s.cancelUpgrade(second) // which changes nothing
		if s.beginUpgrade(third) {
			t.Error("a WebSocket without the right gave it up for another")
		}
		time.Sleep(3 * time.Second) // the hijack of the first never came
		if !s.beginUpgrade(second) {
			t.Fatal("a WebSocket that never came keeps the session to itself")
		}
		if s.completeUpgrade(first) {
			t.Error("a WebSocket that has lost its right upgrades")
		}
		s.cancelUpgrade(first)
		if s.beginUpgrade(third) {
			t.Error("a WebSocket that has lost its right gave away that of another")
		}
		s.CloseNow()
		if s.completeUpgrade(second) || s.beginUpgrade(third) {
			t.Error("a session that is over is upgraded")
		}
	})
}

func TestRefusedWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		first := probing(t, s)
		w := newWebSocket(s)
		second := servePipe(t, w, w.serveRefused, !s.beginUpgrade(w))
		second.expect(t, "8 1002 session has a WebSocket")
		second.close()
		first.upgrade(t)
		synctest.Wait()
		if s.Transport() != WebSocket {
			t.Error("the first probe was disturbed")
		}
		first.close()
	})
}

// A session that ends takes the probe with it, whatever ends first.
func TestSessionEndsDuringTheProbe(t *testing.T) {
	for name, probe := range map[string]bool{"before the probe": false, "after the probe": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openPolling(t, newTestServer(Config{}), V4)
				c := probing(t, s)
				if probe {
					c.send("2probe")
					c.expect(t, "1 3probe")
				}
				synctest.Wait()
				start := time.Now()
				s.CloseNow()
				c.expect(t, "8 1002 upgrade failed")
				if d := time.Since(start); d != 0 {
					t.Errorf("the WebSocket learns of it after %v", d)
				}
				c.close()
				if _, body := get(s); body != "1" {
					t.Errorf("the last GET has %q", body)
				}
			})
		})
	}
}

func TestSessionEndsBeforeTheHijack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		w := newWebSocket(s)
		begun := s.beginUpgrade(w)
		s.CloseNow()
		start := time.Now()
		c := servePipe(t, w, w.serveProbe, begun)
		c.expect(t, "8 1002 upgrade failed")
		if d := time.Since(start); d != 0 {
			t.Errorf("the WebSocket learns of it after %v", d)
		}
		c.close()
	})
}

// A session that closes in good order while a WebSocket takes over does so on the WebSocket: its
// client has stopped to poll.
func TestFiveWhileClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		c := probing(t, s)
		c.send("2probe")
		c.expect(t, "1 3probe")
		_ = s.SendText("to be fetched")
		s.Close()
		c.send("5")
		c.expect(t, "1 4to be fetched", "8 1000 ")
		c.close()
		untilEnd(t, s, ReasonServerClose)
	})
}

// The queue is whole when the WebSocket gets it, text separators included from then on.
func TestSeparatorAfterTheUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		c := probing(t, s)
		if err := s.SendText("a\x1eb"); !errors.Is(err, ErrInvalidText) {
			t.Errorf("during the probe: %v", err)
		}
		c.upgrade(t)
		synctest.Wait()
		if err := s.SendText("a\x1eb"); err != nil {
			t.Errorf("after the upgrade: %v", err)
		}
		c.expect(t, "1 4a\x1eb")
		c.close()
	})
}

func TestIsProbe(t *testing.T) {
	for in, want := range map[string]bool{"2probe": true, "2": false, "2probe ": false, "3probe": false, "4probe": false} {
		p, err := V4.DecodeMessage(false, []byte(in))
		if err != nil || isProbe(p) != want {
			t.Errorf("isProbe(%q) is not %v", in, want)
		}
	}
	if isProbe(codec.Packet{Type: codec.Message, Binary: true, Data: []byte("probe")}) {
		t.Error("binary is a probe")
	}
}

// A WebSocket whose right another took, and lost, may still come and probe.
func TestLateProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{UpgradeTimeout: 3 * time.Second}), V4)
		late, other := newWebSocket(s), newWebSocket(s)
		begun := s.beginUpgrade(late)
		time.Sleep(3 * time.Second)
		if !s.beginUpgrade(other) {
			t.Fatal("the first keeps the session to itself")
		}
		s.cancelUpgrade(other)
		c := servePipe(t, late, late.serveProbe, begun)
		c.send("2probe")
		c.expect(t, "1 3probe")
		synctest.Wait()
		if s.probed.Load() {
			t.Error("the late probe counts")
		}
		c.send("5")
		c.expect(t, "8 1002 upgrade failed")
		c.close()
		checkPolling(t, s)
		start := time.Now()
		go func() { time.Sleep(time.Second); _ = s.SendText("later") }()
		if _, body := get(s); body != "4later" || time.Since(start) != time.Second {
			t.Errorf("a GET has %q after %v", body, time.Since(start))
		}
		s.CloseNow()
	})
}

// Once the 5 has been found to be in time, nobody comes between.
func TestNoDisplacementAfterTheFive(t *testing.T) {
	s := openPolling(t, newTestServer(Config{UpgradeTimeout: time.Hour}), V4)
	w := newWebSocket(s)
	w.setConn(new(tape), nil)
	if !s.beginUpgrade(w) {
		t.Fatal("the upgrade does not begin")
	}
	s.mu.Lock()
	s.probeBy = s.srv.now() - time.Second // the time is up, and nobody has noticed
	s.mu.Unlock()
	s.out.mu.Lock() // holds w up in the middle
	passed := make(chan bool)
	go func() { passed <- s.completeUpgrade(w) }()
	checked := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.probeBy > s.srv.now()
	}
	for deadline := time.Now().Add(5 * time.Second); !checked(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Error("the time goes on after the check")
			break
		}
	}
	if s.beginUpgrade(newWebSocket(s)) {
		t.Error("another may upgrade too")
	}
	s.out.mu.Unlock()
	if !<-passed {
		t.Error("the upgrade fails")
	}
	s.CloseNow()
	s.out.waitIdle()
}
