package engineio

import (
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

const (
	interval = 25 * time.Second // the defaults
	timeout  = 20 * time.Second
)

// nextPing waits for the next ping of a revision 4 session, and tells how long that took.
func nextPing(t *testing.T, r *recorder) time.Duration {
	t.Helper()
	began := time.Since(r.start)
	time.Sleep(interval)
	synctest.Wait()
	log := r.rest()
	if len(log) != 1 || log[0].what != "2" {
		t.Fatalf("within pingInterval came %v, want one ping", log)
	}
	return log[0].at - began
}

// untilEnd waits for the end of a session, and tells how long that took.
func untilEnd(t *testing.T, s *Session, why Reason) time.Duration {
	t.Helper()
	start := time.Now()
	<-s.Context().Done()
	if r := reasonOf(t, s); r != why {
		t.Errorf("ended with %v, want %v", r, why)
	}
	return time.Since(start)
}

func pong() codec.Packet { return codec.Packet{Type: codec.Pong} }

func TestFirstPingIsUpToAFifthEarlier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		var at []time.Duration
		for range 50 {
			s, r := openRecorded(t, srv, V4)
			at = append(at, nextPing(t, r))
			s.CloseNow()
		}
		if slices.Min(at) < interval*4/5 || slices.Max(at) > interval || slices.Min(at) == slices.Max(at) {
			t.Errorf("first pings after %v to %v", slices.Min(at), slices.Max(at))
		}
	})
}

func TestPongArmsTheNextPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := openRecorded(t, newTestServer(Config{}), V4)
		nextPing(t, r)
		s.receive(pong(), nil)
		for _, delay := range []time.Duration{0, time.Second, timeout - 1} {
			if d := nextPing(t, r); d != interval {
				t.Fatalf("the next ping came %v after the pong, want %v", d, interval)
			}
			time.Sleep(delay)
			s.receive(pong(), nil)
		}
		s.CloseNow()
	})
}

func TestPingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := openRecorded(t, newTestServer(Config{}), V4)
		pinged := nextPing(t, r)
		waited := time.Since(r.start) - pinged
		if d := waited + untilEnd(t, s, ReasonPingTimeout); d != timeout {
			t.Errorf("ended %v after the ping, want %v", d, timeout)
		}
	})
}

// Only a pong after the ping answers it: those before move the ping and nothing else.
func TestUnsolicitedPong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := openRecorded(t, newTestServer(Config{}), V4)
		nextPing(t, r)
		for range 3 { // the answer, and the answer again
			s.receive(pong(), nil)
			time.Sleep(10 * time.Second)
		}
		time.Sleep(interval - 10*time.Second)
		synctest.Wait()
		if log := r.rest(); len(log) != 1 || log[0].what != "2" {
			t.Fatalf("pingInterval after the last pong came %v, want a ping", log)
		}
		if d := untilEnd(t, s, ReasonPingTimeout); d != timeout {
			t.Errorf("ended %v after the ping, want %v", d, timeout)
		}
	})
}

// The timer of the last wait may go off while a pong begins the next one.
func TestTickThatLostTheRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, rev := range []Revision{V3, V4} {
			s, r := openRecorded(t, newTestServer(Config{}), rev)
			if rev == V4 {
				nextPing(t, r)
				s.receive(pong(), nil)
			} else {
				s.receive(ping(), nil)
			}
			r.rest()
			s.tick()
			if log := r.rest(); len(log) > 0 || s.isClosed() {
				t.Errorf("revision %d: a late tick does something: %v", rev, log)
			}
			s.CloseNow()
			s.tick()
		}
	})
}

func TestRevision3ClientPings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := openRecorded(t, newTestServer(Config{}), V3)
		for range 5 {
			time.Sleep(interval + timeout - 1)
			s.receive(ping(), nil)
			if log := r.rest(); len(log) != 1 || log[0].what != "3" {
				t.Fatalf("a ping is answered with %v, want one pong and nothing before it", log)
			}
		}
		if d := untilEnd(t, s, ReasonPingTimeout); d != interval+timeout {
			t.Errorf("ended %v after the last ping, want %v", d, interval+timeout)
		}
	})
}

func TestRevision3SilentClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := openRecorded(t, newTestServer(Config{}), V3)
		if d := untilEnd(t, s, ReasonPingTimeout); d != interval+timeout {
			t.Errorf("ended after %v, want %v", d, interval+timeout)
		}
	})
}

func TestHeartbeatInTheWrongDirection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for rev, p := range map[Revision]codec.Packet{V3: pong(), V4: ping()} {
			s, _ := openRecorded(t, newTestServer(Config{}), rev)
			s.receive(p, nil)
			if r := reasonOf(t, s); r != ReasonTransportError {
				t.Errorf("revision %d, %v: %v", rev, p.Type, r)
			}
		}
	})
}

// A full queue must not make a client that is slow look dead.
func TestPingPassesAFullQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{MaxQueuedBytes: 10}), V4)
		for s.SendText("more") == nil {
		}
		time.Sleep(interval)
		synctest.Wait()
		if _, body := get(s); body != "4more\x1e2" && body != "4more\x1e4more\x1e2" {
			t.Errorf("got %q, want what fits and a ping", body)
		}
		s.CloseNow()
	})
}

// The heartbeat belongs to the session: an upgrade in the middle of a round changes nothing.
func TestHeartbeatSurvivesAnUpgrade(t *testing.T) {
	for _, answered := range []bool{false, true} {
		t.Run(fmt.Sprint("answered ", answered), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := openPolling(t, newTestServer(Config{}), V4)
				if _, body := get(s); body != "2" {
					t.Fatalf("got %q, want a ping", body)
				}
				pinged := time.Now()
				time.Sleep(time.Second)
				w := newWebSocket(s)
				c := servePipe(t, w, w.serveProbe, s.beginUpgrade(w))
				c.upgrade(t)
				if answered {
					c.send("3")
					if at := c.next(t); at != "1 2" || time.Since(pinged) != interval+time.Second {
						t.Errorf("%q came %v after the first ping", at, time.Since(pinged))
					}
					pinged = time.Now()
				}
				untilEnd(t, s, ReasonPingTimeout)
				if d := time.Since(pinged); d != timeout {
					t.Errorf("ended %v after the ping, want %v", d, timeout)
				}
				c.close()
			})
		})
	}
}

// A client that takes nothing holds up a graceful end for CloseTimeout and no longer.
func TestCloseTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{CloseTimeout: 7 * time.Second})
		s := openPolling(t, srv, V4)
		time.Sleep(interval*4/5 - time.Second) // a ping would be due in the meantime
		_ = s.SendText("never fetched")
		s.Close()
		s.Close()
		if d := untilEnd(t, s, ReasonServerClose); d != 7*time.Second {
			t.Errorf("ended after %v", d)
		}
		if srv.places.count() != 0 {
			t.Errorf("%d sessions left", srv.places.count())
		}
	})
}

func TestLinger(t *testing.T) {
	for reason, lingers := range map[Reason]bool{
		ReasonServerClose: true, ReasonClientClose: true, ReasonSlowClient: true, ReasonPanic: true, ReasonShutdown: true,
		ReasonDrain: true, ReasonTransportClose: false, ReasonTooBig: false, ReasonStalled: false,
		ReasonTransportError: false, ReasonPingTimeout: false, ReasonParseError: false,
	} {
		t.Run(reason.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newTestServer(Config{})
				s := openPolling(t, srv, V4)
				s.terminate(reason, nil)
				known := func() bool { synctest.Wait(); return srv.registry.get([]byte(s.id)) != nil }
				if known() != lingers {
					t.Fatalf("a poll finds it: %v, want %v", known(), lingers)
				}
				time.Sleep(lingerTime - 1)
				if known() != lingers {
					t.Errorf("just before %v a poll finds it: %v", lingerTime, known())
				}
				time.Sleep(time.Nanosecond)
				if known() {
					t.Errorf("it is still there after %v", lingerTime)
				}
				if _, open := srv.Session(s.id); open || srv.places.count() != 0 {
					t.Error("it is still counted")
				}
			})
		})
	}
}

// One GET has the last word, and ends the lingering.
func TestLingerEndsWithTheLastWord(t *testing.T) {
	for reason, word := range map[Reason]string{ReasonServerClose: "1", ReasonClientClose: "6"} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{})
			s := openPolling(t, srv, V4)
			_ = s.SendText("dropped")
			s.terminate(reason, nil)
			if status, body := get(s); status != 200 || body != word {
				t.Errorf("%v: the last GET is answered %d %q, want %q", reason, status, body, word)
			}
			if srv.registry.get([]byte(s.id)) != nil {
				t.Errorf("%v: the session is still there", reason)
			}
			if status, _ := get(s); status != 400 {
				t.Errorf("%v: a GET after the last is answered %d", reason, status)
			}
		})
	}
}

func TestSessionThatNeverOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{OnDisconnect: func(*Session, *CloseError) {
			t.Error("OnDisconnect of a session that was never open")
		}})
		for _, via := range []Transport{Polling, WebSocket} {
			s := newTestSession(t, srv, V4, via)
			if d := untilEnd(t, s, ReasonPingTimeout); d != interval+timeout {
				t.Errorf("%v: ended after %v", via, d)
			}
		}
		if srv.places.count() != 0 || srv.busy.wait(t.Context()) != nil {
			t.Error("it is still counted")
		}
	})
}

// A client that reads a large response cannot ask for the ping behind it.
func TestDeliveryIsNoPingTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		r := &response{ctx: new(fasthttp.RequestCtx), body: make([]byte, keepBody+1)}
		s.poll.countResponse(r)
		time.Sleep(5 * (interval + timeout))
		if synctest.Wait(); s.over.Load() {
			t.Fatalf("ended with %v", reasonOf(t, s))
		}
		r.ctx.Request.Reset() // the HTTP server has written it
		start := time.Now()
		untilEnd(t, s, ReasonPingTimeout)
		if gone := time.Since(start); gone < timeout || gone > 2*timeout {
			t.Errorf("after the response it lives for %v more", gone)
		}
	})
}
