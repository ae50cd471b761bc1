package engineio

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// Parked reports whether a client could be written to at once: on long-polling that it has a GET waiting.
func Parked(s *Session) bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.ready
}

// Expire ends the time that the client has for its half of the heartbeat.
func Expire(s *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.startTimer(beatTimeout, 0)
}

// A departure is the end of a session, at a time of the drain.
type departure struct {
	at  time.Duration
	who *Session
	why Reason
}

// departures are those of all sessions, in order.
type departures struct {
	start time.Time

	mu  sync.Mutex
	log []departure
}

func (d *departures) note(s *Session, why *CloseError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, departure{time.Since(d.start), s, why.Reason})
}

// whose is how many have left, and checks that all did for the same reason.
func (d *departures) whose(t *testing.T, want Reason) int {
	t.Helper()
	synctest.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, e := range d.log {
		if e.why != want {
			t.Errorf("%v after %v, want %v", e.why, e.at, want)
		}
	}
	return len(d.log)
}

// leavers is a Server with n sessions, of both revisions and in the order of their opening, whose heartbeat does not
// interfere.
func leavers(t *testing.T, n int) (*Server, []*Session, *departures) {
	t.Helper()
	left := &departures{start: time.Now()}
	srv := newTestServer(Config{PingInterval: 400 * time.Hour, OnDisconnect: left.note})
	srv.drainGap = 1000 * time.Hour
	var sessions []*Session
	for i := range n {
		s, _ := openRecorded(t, srv, []Revision{V3, V4}[i%2])
		sessions = append(sessions, s)
	}
	return srv, sessions, left
}

// drain begins one, whose result comes when it has returned.
func drain(ctx context.Context, srv *Server, window time.Duration) <-chan error {
	result := make(chan error, 1)
	go func() { result <- srv.Drain(ctx, window) }()
	synctest.Wait()
	return result
}

// returned checks that a drain, or a shutdown, has returned want by now.
func returned(t *testing.T, result <-chan error, want error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		if !errors.Is(err, want) {
			t.Errorf("it returns %v, want %v", err, want)
		}
	default:
		t.Error("it has not returned")
		go func() { <-result }()
	}
}

// goesOn checks that a drain has not returned.
func goesOn(t *testing.T, result <-chan error) {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		t.Fatalf("it has returned %v", err)
	default:
	}
}

// A tenth of the sessions leaves in each tenth of the window, and the last at its end.
func TestDrainIsSpreadOverTheWindow(t *testing.T) {
	const n, tenth = 1000, time.Minute
	synctest.Test(t, func(t *testing.T) {
		srv, _, left := leavers(t, n)
		result := drain(t.Context(), srv, 10*tenth)
		if gone := left.whose(t, ReasonDrain); gone > 1 {
			t.Errorf("%d sessions leave at once", gone)
		}
		for i := 1; i <= 10; i++ {
			goesOn(t, result)
			time.Sleep(tenth)
			if gone := left.whose(t, ReasonDrain); gone < i*n/10-1 || gone > i*n/10+1 {
				t.Errorf("%d of %d sessions have left after %d tenths of the window", gone, n, i)
			}
		}
		returned(t, result, nil)
		if last := left.log[len(left.log)-1].at; last != 10*tenth || srv.places.count() != 0 {
			t.Errorf("the last session left after %v, and there are %d", last, srv.places.count())
		}
	})
}

// The order has nothing to do with that of their opening, or with where they are kept.
func TestDrainIsInNoOrder(t *testing.T) {
	const n = 1000
	synctest.Test(t, func(t *testing.T) {
		srv, sessions, left := leavers(t, n)
		result := drain(t.Context(), srv, time.Hour)
		time.Sleep(time.Hour)
		returned(t, result, nil)
		early, low := 0, 0
		for _, e := range left.log[:n/2] {
			if slices.Index(sessions, e.who) < n/2 {
				early++
			}
			for i := range 32 {
				if srv.registry.shard([]byte(e.who.id)) == &srv.registry.shards[i] {
					low++
				}
			}
		}
		for what, k := range map[string]int{"were opened early": early, "are kept in front": low} {
			if k < n/4-100 || k > n/4+100 { // 12 standard deviations
				t.Errorf("of the %d that left first %d %s, want about half", n/2, k, what)
			}
		}
	})
}

// Handshakes are refused from the first moment on, also when the drain has been given up, and while sessions are left.
func TestHandshakesDuringDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, left := leavers(t, 10)
		ctx, cancel := context.WithCancel(t.Context())
		result := drain(ctx, srv, time.Hour)
		refused := func(when string) {
			for _, query := range []string{handshake4, handshake3, webSocket4} {
				var header []string
				if query == webSocket4 {
					header = upgradeHeader
				}
				r := &incomingTo(srv, query, header...).Response
				if r.StatusCode() != 503 || string(r.Header.Peek("Retry-After")) != "5" ||
					string(r.Header.Peek("Cache-Control")) != "no-store" {
					t.Errorf("%s, %s is answered %d %s", when, query, r.StatusCode(), &r.Header)
				}
			}
		}
		refused("at the beginning")
		time.Sleep(30 * time.Minute)
		refused("in the middle")
		if gone := left.whose(t, ReasonDrain); gone != 5 || srv.places.count() != 5 {
			t.Errorf("%d have left, %d are there", gone, srv.places.count())
		}
		cancel()
		returned(t, result, context.Canceled)
		refused("when it was given up")
		shut(srv)
		refused("after Shutdown")
	})
}

// incomingTo is a handshake that srv has answered. It is not given to Serve, which looks after the HTTP server in a
// goroutine that no bubble has.
func incomingTo(srv *Server, query string, header ...string) *fasthttp.RequestCtx {
	ctx := incoming("GET", query, header...)
	r, err := srv.examine(ctx)
	if err != nil {
		panic(err)
	}
	if s := srv.handshake(ctx, r); s != nil {
		s.poll.serveGet(ctx, r.jsonp, true)
	}
	return ctx
}

// Until its turn a session works as ever, and may even move to WebSocket. Then its client is told, by close packet
// or by code 1001, after all that was sent to it.
func TestSessionsWorkUntilTheirTurn(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{
				PingInterval: 400 * time.Hour, CloseTimeout: 2 * time.Hour,
				OnMessage: func(s *Session, m Message) { _ = s.SendText(string(m.Data) + "!") },
			})
			srv.drainGap = time.Hour
			wire := func(packets ...string) string { return payload(rev, packets...) }
			polling, moving := openPolling(t, srv, rev), openPolling(t, srv, rev)
			onWebSocket, c := openPipe(t, srv, rev)
			result := drain(t.Context(), srv, time.Hour)
			both := func() { // directions
				if polling.over.Load() || onWebSocket.over.Load() {
					return
				}
				poll := parking(polling)
				if _, body := post(polling, wire("4there")); body != "ok" {
					t.Errorf("a POST is answered %q", body)
				}
				if body := <-poll; body != wire("4there!") {
					t.Errorf("a GET is answered %q", body)
				}
				c.send("4there")
				c.expect(t, "1 4there!")
			}
			both()
			w := newWebSocket(moving)
			moved := servePipe(t, w, w.serveProbe, moving.beginUpgrade(w))
			moved.upgrade(t)
			moved.send("4moved")
			moved.expect(t, "1 4moved!")
			time.Sleep(19 * time.Minute) // the first turn comes after 20
			both()
			for _, s := range []*Session{polling, moving, onWebSocket} {
				if err := s.SendText("last"); err != nil {
					t.Error(err)
				}
			}
			moved.expect(t, "1 4last", "8 1001 ")
			c.expect(t, "1 4last", "8 1001 ")
			c.close()
			moved.close()
			time.Sleep(time.Hour)
			synctest.Wait()
			if polling.isClosed() {
				t.Error("a polling session ends before its client has come")
			}
			if _, body := get(polling); body != wire("4last", "1") {
				t.Errorf("the last GET is answered %q", body)
			}
			for _, s := range []*Session{polling, moving, onWebSocket} {
				untilEnd(t, s, ReasonDrain)
			}
			returned(t, result, nil)
		})
	}
}

// payload is a long-polling body of texts.
func payload(rev Revision, packets ...string) string {
	if rev == V4 {
		return strings.Join(packets, "\x1e")
	}
	body := ""
	for _, p := range packets {
		body += strconv.Itoa(len(p)) + ":" + p
	}
	return body
}

// A polling client that does not come for its last word is given CloseTimeout, and Drain waits for that.
func TestDrainWaitsForLastWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{PingInterval: 400 * time.Hour, CloseTimeout: 3 * time.Second})
		srv.drainGap = time.Minute
		openPolling(t, srv, V4)
		result := drain(t.Context(), srv, time.Minute)
		time.Sleep(time.Minute + 3*time.Second - 1)
		goesOn(t, result)
		time.Sleep(time.Nanosecond)
		returned(t, result, nil)
	})
}

// The context ends a drain and leaves the sessions alone whose turn had not come. Shutdown ends those.
func TestDrainIsGivenUp(t *testing.T) {
	why := errors.New("no deploy today")
	for name, after := range map[string]time.Duration{"at once": 0, "halfway": 30 * time.Minute} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, sessions, left := leavers(t, 10)
				ctx, cancel := context.WithCancelCause(t.Context())
				if after == 0 {
					cancel(why)
				}
				result := drain(ctx, srv, time.Hour)
				time.Sleep(after)
				synctest.Wait()
				cancel(why)
				returned(t, result, why)
				time.Sleep(10 * time.Hour)
				want := int(after * 10 / time.Hour)
				if gone := left.whose(t, ReasonDrain); gone != want || srv.places.count() != 10-want {
					t.Errorf("%d have left, %d are there, want %d gone", gone, srv.places.count(), want)
				}
				for _, s := range sessions {
					if err := s.SendText("x"); (err == nil) == s.isClosed() {
						t.Errorf("closed %v, SendText: %v", s.isClosed(), err)
					}
				}
				left.log = nil
				if err := srv.Shutdown(t.Context()); err != nil {
					t.Error(err)
				}
				if gone := left.whose(t, ReasonShutdown); gone != 10-want {
					t.Errorf("Shutdown ended %d", gone)
				}
			})
		})
	}
}

// Drain returns when nobody is left, whoever made them go, and not only at the end of the window.
func TestDrainReturnsWithTheLastSession(t *testing.T) {
	for name, end := range map[string]func(srv *Server, sessions []*Session){
		"Shutdown": func(srv *Server, _ []*Session) { _ = srv.Shutdown(context.Background()) },
		"their clients go": func(_ *Server, sessions []*Session) {
			for _, s := range sessions {
				s.terminate(ReasonTransportClose, nil)
			}
		},
		"a shorter drain": func(srv *Server, _ []*Session) { _ = srv.Drain(context.Background(), 0) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, sessions, _ := leavers(t, 10)
				result := drain(t.Context(), srv, time.Hour)
				goesOn(t, result)
				end(srv, sessions)
				returned(t, result, nil)
			})
		})
	}
}

// Whatever a drain meets, every session ends once and the drain returns.
func TestDrainMeets(t *testing.T) {
	for name, meet := range map[string]struct {
		with func(srv *Server)
		why  map[Reason]int // how many end for what
	}{
		"Shutdown halfway": {func(srv *Server) {
			time.Sleep(31 * time.Minute)
			_ = srv.Shutdown(context.Background())
		}, map[Reason]int{ReasonDrain: 5, ReasonShutdown: 5}},
		"a second": {func(srv *Server) { _ = srv.Drain(context.Background(), time.Hour) },
			map[Reason]int{ReasonDrain: 10}},
		"a shorter second": {func(srv *Server) { _ = srv.Drain(context.Background(), time.Minute) },
			map[Reason]int{ReasonDrain: 10}},
		"a longer second": {func(srv *Server) { _ = srv.Drain(context.Background(), 9*time.Hour) },
			map[Reason]int{ReasonDrain: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, _, left := leavers(t, 10)
				result := drain(t.Context(), srv, time.Hour)
				meet.with(srv)
				if err := <-result; err != nil {
					t.Errorf("Drain: %v", err)
				}
				synctest.Wait()
				why := make(map[Reason]int)
				for _, e := range left.log {
					why[e.why]++
				}
				if !maps.Equal(why, meet.why) || srv.places.count() != 0 {
					t.Errorf("ended %v, want %v; %d are left", why, meet.why, srv.places.count())
				}
			})
		})
	}
}

// During Shutdown a drain has nothing to close and waits for those that end.
func TestDrainDuringShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{PingInterval: 400 * time.Hour})
		s := openPolling(t, srv, V4)
		down := make(chan error, 1)
		go func() { down <- srv.Shutdown(context.Background()) }()
		synctest.Wait()
		result := drain(t.Context(), srv, time.Hour)
		goesOn(t, result)
		if _, body := get(s); body != "1" {
			t.Errorf("the last GET is answered %q", body)
		}
		untilEnd(t, s, ReasonShutdown)
		returned(t, result, nil)
		returned(t, down, nil)
	})
}

func TestDrainWithoutSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, _, _ := leavers(t, 0)
		returned(t, drain(t.Context(), srv, time.Hour), nil)
		if err := srv.admit(netip.Addr{}); err == nil || err.Status != 503 {
			t.Errorf("admitted: %v", err)
		}
	})
}

// Few sessions do not take the whole window.
func TestDrainOfFewSessionsIsShort(t *testing.T) {
	for n, want := range map[int]time.Duration{1: maxDrainGap, 5: 5 * maxDrainGap, 1000: 10 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			srv, _, left := leavers(t, n)
			srv.drainGap = maxDrainGap
			result := drain(t.Context(), srv, 10*time.Second)
			time.Sleep(want)
			returned(t, result, nil)
			if took := left.log[n-1].at; took != want {
				t.Errorf("%d sessions took %v, want %v", n, took, want)
			}
		})
	}
}

// Without a window all leave at once.
func TestDrainWithoutAWindow(t *testing.T) {
	for _, window := range []time.Duration{0, -time.Hour} {
		synctest.Test(t, func(t *testing.T) {
			srv, _, left := leavers(t, 100)
			returned(t, drain(t.Context(), srv, window), nil)
			if gone := left.whose(t, ReasonDrain); gone != 100 || time.Since(left.start) != 0 {
				t.Errorf("%d have left after %v", gone, time.Since(left.start))
			}
		})
	}
}

// A window may be as long as one likes.
func TestDrainWithALongWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n, window = 1000, 150 * 24 * time.Hour
		left := &departures{start: time.Now()}
		srv := newTestServer(Config{PingInterval: 20 * 24 * time.Hour, OnDisconnect: left.note})
		srv.drainGap = window / 100
		var sessions []*Session
		for range n {
			s, _ := openRecorded(t, srv, V4)
			s.mu.Lock()
			s.beat.timer.Stop()
			s.mu.Unlock()
			sessions = append(sessions, s)
		}
		result := drain(t.Context(), srv, window)
		time.Sleep(window / 10 * 8)
		if gone := left.whose(t, ReasonDrain); gone != n/10*8 {
			t.Errorf("%d of %d have left after eight tenths of the window", gone, n)
		}
		time.Sleep(window / 10 * 2)
		returned(t, result, nil)
		for _, s := range sessions {
			untilEnd(t, s, ReasonDrain)
		}
	})
}

// A handshake that was admitted before the drain began opens a session, which is told to go at once, and Drain waits
// for it.
func TestHandshakeUnderWayWhenDrainBegins(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			entered, gate := make(chan struct{}, 1), make(chan struct{})
			srv := newTestServer(Config{
				OnHandshake: func(*Session, *fasthttp.RequestCtx) error {
					entered <- struct{}{}
					<-gate
					return nil
				},
				OnConnect:    func(*Session) { t.Error("OnConnect") },
				OnDisconnect: func(*Session, *CloseError) { t.Error("OnDisconnect without OnConnect") },
			})
			query := handshake4
			if rev == V3 {
				query = handshake3
			}
			answer := make(chan string, 1)
			go func() { answer <- string(incomingTo(srv, query).Response.Body()) }()
			<-entered
			result := drain(t.Context(), srv, 0)
			time.Sleep(30 * time.Second)
			goesOn(t, result)
			close(gate)
			body := <-answer
			if end := payload(rev, "1"); !strings.HasSuffix(body, end) || !strings.Contains(body, `"sid":`) {
				t.Errorf("the handshake is answered %q, want the open packet and the close packet", body)
			}
			returned(t, result, nil)
		})
	}
	for _, rev := range []Revision{V3, V4} { // one by WebSocket is between its 101 and the open packet
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{})
			s := newTestSession(t, srv, rev, WebSocket)
			result := drain(t.Context(), srv, time.Minute)
			goesOn(t, result)
			c := servePipe(t, newWebSocket(s), newWebSocket(s).serve, true)
			if first := c.next(t); !strings.HasPrefix(first, `1 0{"sid":`) {
				t.Errorf("first came %q, want the open packet", first)
			}
			c.expect(t, "8 1001 ")
			c.close()
			untilEnd(t, s, ReasonDrain)
			returned(t, result, nil)
		})
	}
}
