package engineio

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/ws"
)

// An arrivals notes when which message came, from when it was made.
type arrivals struct {
	start time.Time
	mu    sync.Mutex
	log   []entry
}

func (a *arrivals) message(_ *Session, m Message) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.log = append(a.log, entry{time.Since(a.start), string(m.Data)})
}

func (a *arrivals) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.log)
}

// paced fails unless n messages have come in order: the burst and the one that was too many at once, each other one
// when every has passed.
func (a *arrivals) paced(t *testing.T, n, burst int, every time.Duration) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.log) != n {
		t.Errorf("%d messages came, want %d", len(a.log), n)
	}
	for i, e := range a.log {
		want := time.Duration(max(i-burst, 0)) * every
		number, _, _ := strings.Cut(e.what, " ")
		if number != fmt.Sprint(i) || e.at != want {
			t.Fatalf("message %d is %.20q and came after %v, want %v", i, e.what, e.at, want)
		}
	}
}

// isHeld reports whether a reader of s waits.
func isHeld(s *Session) bool { return s.pingGrace.state.Load() > 1 }

// counting are n messages, in one payload each or together, padded to size.
func counting(rev Revision, n, size int) (payloads []string, together string) {
	var all []byte
	for i := range n {
		m := text(fmt.Sprintf("%-*s", size, fmt.Sprint(i, " ")))
		payloads = append(payloads, string(textFormat(rev).Append(nil, m)))
		all = textFormat(rev).Append(all, m)
	}
	return payloads, string(all)
}

// floods are the ways to send n messages of a size to a session as fast as it takes them.
var floods = map[string]func(t *testing.T, srv *Server, rev Revision, n, size int) (*Session, func()){
	"one POST": func(t *testing.T, srv *Server, rev Revision, n, size int) (*Session, func()) {
		s := openPolling(t, srv, rev)
		_, together := counting(rev, n, size)
		return s, func() { post(s, together) }
	},
	"many POSTs": func(t *testing.T, srv *Server, rev Revision, n, size int) (*Session, func()) {
		s := openPolling(t, srv, rev)
		payloads, _ := counting(rev, n, size)
		return s, func() {
			for _, p := range payloads {
				post(s, p)
			}
		}
	},
	"websocket": func(t *testing.T, srv *Server, rev Revision, n, size int) (*Session, func()) {
		s, c := openPipe(t, srv, rev)
		t.Cleanup(c.close)
		return s, func() {
			for i := range n {
				c.send(fmt.Sprintf("4%-*s", size, fmt.Sprint(i, " ")))
			}
			c.sendFrame(ws.Ping, nil) // read when all before it is
		}
	},
}

// eachFlood runs f for every way and revision on the bubble's clock.
func eachFlood(t *testing.T, f func(t *testing.T, rev Revision, flood string)) {
	for flood := range floods {
		for _, rev := range []Revision{V3, V4} {
			t.Run(fmt.Sprintf("%s/%d", flood, rev), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { f(t, rev, flood) })
			})
		}
	}
}

// A second's worth may come at once. The message above it is delivered, and nothing after it until it is paid for.
func TestMessageRate(t *testing.T) {
	eachFlood(t, func(t *testing.T, rev Revision, flood string) {
		a := new(arrivals)
		srv := newTestServer(Config{MaxMessageRate: 10, OnMessage: a.message})
		s, send := floods[flood](t, srv, rev, 200, 3)
		a.start = time.Now()
		send()
		a.paced(t, 200, 10, 100*time.Millisecond)
		s.CloseNow()
	})
}

func TestByteRate(t *testing.T) {
	eachFlood(t, func(t *testing.T, rev Revision, flood string) {
		a := new(arrivals)
		srv := newTestServer(Config{MaxByteRate: 1000, OnMessage: a.message})
		s, send := floods[flood](t, srv, rev, 100, 100)
		a.start = time.Now()
		send()
		a.paced(t, 100, 10, 100*time.Millisecond)
		s.CloseNow()
	})
}

// The stricter of both holds, and a long message is paid for by the one after it.
func TestBothRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := new(arrivals)
		s := openPolling(t, newTestServer(Config{MaxMessageRate: 2, MaxByteRate: 1000, OnMessage: a.message}), V4)
		a.start = time.Now()
		for _, size := range []int{1, 1, 1, 1, 5000, 1} {
			post(s, "4"+strings.Repeat("x", size))
		}
		var at []time.Duration
		for _, e := range a.log {
			at = append(at, e.at)
		}
		const half = time.Second / 2
		if want := []time.Duration{0, 0, 0, half, 2 * half, 10 * half}; !slices.Equal(at, want) {
			t.Errorf("the messages came at %v, want %v", at, want)
		}
		s.CloseNow()
	})
}

// Without a rate nothing is counted.
func TestNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &arrivals{start: time.Now()}
		s := openPolling(t, newTestServer(Config{OnMessage: a.message}), V4)
		_, together := counting(V4, 50_000, 10)
		post(s, together)
		if s.rate != nil || s.pingGrace.consume() || time.Since(a.start) != 0 || a.count() != 50_000 {
			t.Errorf("%d messages came within %v", a.count(), time.Since(a.start))
		}
		s.CloseNow()
	})
}

// A flood that is read for minutes carries the client's heartbeat behind it, and is no silence.
func TestFloodIsNoPingTimeout(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		for _, flood := range []string{"one POST", "websocket"} {
			synctest.Test(t, func(t *testing.T) {
				const n = 1500 // 150 s
				a := new(arrivals)
				srv := newTestServer(Config{MaxMessageRate: 10, OnMessage: a.message})
				s, send := floods[flood](t, srv, rev, n, 8)
				a.start = time.Now()
				send()
				a.paced(t, n, 10, 100*time.Millisecond)
				if s.over.Load() {
					t.Fatalf("%s, revision %d: ended with %v", flood, rev, reasonOf(t, s))
				}
				if time.Since(a.start) < 2*(interval+timeout) {
					t.Error("that was no flood")
				}
				if d := untilEnd(t, s, ReasonPingTimeout); d > interval+2*timeout {
					t.Errorf("the silence after it ended the session after %v", d)
				}
			})
		}
	}
}

// Nor is it when the timer goes off between two holds, while OnMessage runs.
func TestTickBetweenHolds(t *testing.T) {
	const step = 25 * time.Millisecond
	for offset := range 4 {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{MaxMessageRate: 10, OnMessage: func(*Session, Message) { time.Sleep(step) }})
			s := openPolling(t, srv, V3)
			time.Sleep(time.Duration(offset) * step)
			_, together := counting(V3, 1000, 3)
			post(s, together+"1:2")
			if s.over.Load() {
				t.Errorf("%v later: ended with %v", time.Duration(offset)*step, reasonOf(t, s))
			}
			s.CloseNow()
		})
	}
}

// Two readers, of a POST and of the WebSocket after it, are held each for itself.
func TestTwoHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{MaxMessageRate: 1}), V4)
		go post(s, "4a\x1e4b\x1e4c") // b is held for 1 s, c for 2 s
		time.Sleep(500 * time.Millisecond)
		go s.receive(text("d"), connected) // for 1.5 s
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if wait := s.rate.messages.wait(s.srv.now(), 0); wait != 500*time.Millisecond || !isHeld(s) || !s.pingGrace.consume() {
			t.Errorf("%v before the end of the second hold: held %v", wait, isHeld(s))
		}
		time.Sleep(time.Second)
		if isHeld(s) {
			t.Error("held for ever")
		}
		s.CloseNow()
	})
}

// Whatever ends a session ends its hold: a POST that would be read for a minute returns.
func TestEndOfAHeldSession(t *testing.T) {
	ends := map[string]struct {
		end    func(*Session)
		reason Reason
		within time.Duration
	}{
		"Close":    {(*Session).Close, ReasonServerClose, 5 * time.Second},
		"CloseNow": {(*Session).CloseNow, ReasonServerClose, 0},
		"Shutdown": {func(s *Session) { _ = s.srv.Shutdown(context.Background()) }, ReasonShutdown, 5 * time.Second},
		"Drain":    {func(s *Session) { _ = s.srv.Drain(context.Background(), 0) }, ReasonDrain, 5 * time.Second},
	}
	for name, c := range ends {
		for flood := range floods {
			t.Run(name+", "+flood, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					a := new(arrivals)
					srv := newTestServer(Config{MaxMessageRate: 1, OnMessage: a.message})
					s, send := floods[flood](t, srv, V4, 60, 3)
					sent := make(chan struct{})
					go func() { defer close(sent); send() }()
					time.Sleep(2500 * time.Millisecond)
					synctest.Wait()
					if !isHeld(s) || a.count() != 4 {
						t.Fatalf("held %v, %d messages came", isHeld(s), a.count())
					}
					start := time.Now()
					c.end(s)
					<-s.Context().Done()
					synctest.Wait()
					if d := time.Since(start); d > c.within || reasonOf(t, s) != c.reason || isHeld(s) {
						t.Errorf("ended after %v with %v, held %v", d, reasonOf(t, s), isHeld(s))
					}
					if flood != "websocket" {
						<-sent
						if d := time.Since(start); d > c.within {
							t.Errorf("the POST returned after %v", d)
						}
					}
					if a.count() != 4 {
						t.Errorf("%d messages came after the end", a.count()-4)
					}
					settled(t, srv)
				})
			})
		}
	}
}

// A session that is held is sent to as ever, and the others are not slowed.
func TestHeldSessionHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := new(arrivals)
		srv := newTestServer(Config{MaxMessageRate: 1, OnMessage: a.message})
		held, c := openPipe(t, srv, V4)
		go func() {
			for range 20 {
				c.send("4flood")
			}
		}()
		time.Sleep(1500 * time.Millisecond)
		start := time.Now()
		_ = held.SendText("to the one that is held")
		c.expect(t, "1 4to the one that is held")
		if d := time.Since(start); d > 2*corkTimeout || !isHeld(held) {
			t.Errorf("that took %v, held %v", d, isHeld(held))
		}
		other := openPolling(t, srv, V4)
		start = time.Now()
		post(other, "4quick")
		if d := time.Since(start); d != 0 || a.log[len(a.log)-1].what != "quick" {
			t.Errorf("another session was read after %v", d)
		}
		shut(srv)
		c.close()
	})
}

// A client that goes while its POST is held is noticed by its poll, as ever.
func TestClientGoesWhileHeld(t *testing.T) {
	t.Parallel()
	ends := make(chan Reason, 1)
	var first sync.Once
	came := make(chan struct{})
	srv := newTestServer(Config{
		MaxMessageRate: 1,
		OnMessage:      func(*Session, Message) { first.Do(func() { close(came) }) },
		OnDisconnect:   func(_ *Session, why *CloseError) { ends <- why.Reason },
	})
	server := enginetest.Start(t, srv.Handler(nil), enginetest.Options{})
	p, err := server.DialPolling(enginetest.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)); err != nil {
		t.Fatal(err)
	}
	body := bytes.Repeat([]byte("4x\x1e"), 50_000)
	if err := p.Post.Write(enginetest.Request("POST", p.URI(), "localhost", body[:len(body)-1])); err != nil {
		t.Fatal(err)
	}
	<-came
	p.Get.Close()
	if r := <-ends; r != ReasonTransportClose {
		t.Errorf("ended with %v", r)
	}
	if r, err := p.Post.Read("POST"); err != nil || r.Status != 200 { // hours before its time
		t.Errorf("the POST is answered %v, %v", r, err)
	}
	settled(t, srv)
}

// One that goes with nothing but its request under way is missed at the heartbeat after the next look, not when what it
// sent has been read.
func TestClientVanishesWhileHeld(t *testing.T) {
	for name, flood := range map[string]func(t *testing.T, server *enginetest.Server){
		"POST": func(t *testing.T, server *enginetest.Server) {
			p, err := server.DialPolling(enginetest.Setup{})
			if err != nil {
				t.Fatal(err)
			}
			body := bytes.Repeat([]byte("4x\x1e"), 50_000) // 14 hours
			if err := p.Post.Write(enginetest.Request("POST", p.URI(), "localhost", body[:len(body)-1])); err != nil {
				t.Fatal(err)
			}
			p.Close()
		},
		"WebSocket": func(t *testing.T, server *enginetest.Server) {
			w := enginetest.Connect(t, server, enginetest.Setup{Way: enginetest.ByWebSocket})
			for range 2000 {
				if err := w.Send(codec.Packet{Type: codec.Message, Data: []byte("x")}); err != nil {
					t.Fatal(err)
				}
			}
			w.Close()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ends := make(chan Reason, 1)
			srv := newTestServer(Config{
				MaxMessageRate: 1, PingInterval: 100 * time.Millisecond, PingTimeout: 3 * time.Second,
				OnMessage:    func(*Session, Message) {},
				OnDisconnect: func(_ *Session, why *CloseError) { ends <- why.Reason },
			})
			flood(t, enginetest.Start(t, srv.Handler(nil), enginetest.Options{}))
			if r := <-ends; r != ReasonPingTimeout && r != ReasonTransportClose {
				t.Errorf("ended with %v", r)
			}
			settled(t, srv)
		})
	}
}

// Heartbeats are no messages: a client may send any number.
func TestHeartbeatsHaveNoRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{MaxMessageRate: 1, MaxByteRate: 1}), V4)
		start := time.Now()
		var body []byte
		for range 1000 {
			body = codec.Text4.Append(body, pong())
		}
		post(s, string(body))
		if d := time.Since(start); d != 0 {
			t.Errorf("a thousand pongs took %v", d)
		}
		s.CloseNow()
	})
}

// A client that upgrades waits for the answer to its POST. It gets it, and the WebSocket waits for what that was
// worth; more than a minute's worth is held all the same.
func TestUpgradeIsNotHeldUp(t *testing.T) {
	for n, want := range map[int]time.Duration{300: 1050 * time.Millisecond, 1000: 1000*100*time.Millisecond - maxUpgradeDelay} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{MaxMessageRate: 10, OnMessage: func(*Session, Message) {}})
			s := openPolling(t, srv, V4)
			_, together := counting(V4, n, 3)
			start, answered := time.Now(), make(chan time.Duration)
			go func() {
				post(s, together)
				answered <- time.Since(start)
			}()
			time.Sleep(1020 * time.Millisecond)
			s.probed.Store(true)
			if d := (<-answered).Round(upgradeCheckEvery); d > want+time.Second || d < want-time.Second {
				t.Errorf("a POST of %d messages is answered after %v, want about %v", n, d, want)
			}
			s.probed.Store(false)
			s.receive(text("and one more"), connected)
			if d, all := time.Since(start), time.Duration(n)*100*time.Millisecond; d < all-time.Second || d > all+time.Second {
				t.Errorf("%d messages are through after %v, want about %v", n, d, all)
			}
			s.CloseNow()
		})
	}
}

// connected is a client that is there.
func connected() bool { return true }
