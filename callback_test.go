package engineio

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// A diary notes the callbacks of one session, and fails when they overlap or come after the last.
type diary struct {
	t       testing.TB
	running atomic.Int32
	over    atomic.Bool
	mu      sync.Mutex
	lines   []string
}

func (d *diary) begin(what string) (end func()) {
	if d.running.Add(1) != 1 {
		d.t.Errorf("%s overlaps another callback", what)
	}
	if d.over.Load() {
		d.t.Errorf("%s after OnDisconnect", what)
	}
	d.note(what)
	return func() {
		d.note(what + " ends")
		d.running.Add(-1)
	}
}

func (d *diary) note(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lines = append(d.lines, line)
}

func (d *diary) times(what string) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, line := range d.lines {
		if line == what {
			n++
		}
	}
	return n
}

// config has all callbacks write to the diary and then do act.
func (d *diary) config(act func(where string, s *Session)) Config {
	run := func(where string, s *Session) {
		defer d.begin(where)()
		act(where, s)
	}
	return Config{
		OnConnect: func(s *Session) { run("connect", s) },
		OnMessage: func(s *Session, _ Message) { run("message", s) },
		OnUpgrade: func(s *Session) { run("upgrade", s) },
		OnDisconnect: func(s *Session, _ *CloseError) {
			run("disconnect", s)
			d.over.Store(true)
		},
	}
}

// live has a session see all of its callbacks, as far as it lives.
func live(t *testing.T, srv *Server) *Session {
	s := newTestSession(t, srv, V4, Polling)
	s.connect(s.poll)
	s.receive(text("hello"), nil)
	s.transport.Store(uint32(WebSocket))
	s.runOnUpgrade()
	s.CloseNow()
	return s
}

var callbacks = []string{"connect", "message", "upgrade", "disconnect"}

// A session that is ended inside a callback tells OnDisconnect when that has returned.
func TestEndInsideACallback(t *testing.T) {
	for name, end := range map[string]func(*Session){
		"CloseNow":   (*Session).CloseNow,
		"Disconnect": func(s *Session) { s.srv.Disconnect(s.ID()); s.terminate(0, nil) },
		"said":       func(s *Session) { s.Close(); s.closeDelivered() },
	} {
		for i, where := range callbacks {
			t.Run(name+" in "+where, func(t *testing.T) {
				d := &diary{t: t}
				srv := newTestServer(d.config(func(now string, s *Session) {
					if now == where {
						end(s)
					}
				}))
				live(t, srv)
				settled(t, srv)
				var want []string
				for _, c := range callbacks[:i+1] {
					want = append(want, c, c+" ends")
				}
				if where != "disconnect" {
					want = append(want, "disconnect", "disconnect ends")
				}
				if !slices.Equal(d.lines, want) {
					t.Errorf("got %q, want %q", d.lines, want)
				}
			})
		}
	}
}

// Fifty goroutines end a session whose callbacks run in as many others.
func TestEndOnceOfMany(t *testing.T) {
	for range 50 {
		d := &diary{t: t}
		srv := newTestServer(d.config(func(string, *Session) {}))
		s := newTestSession(t, srv, V4, Polling)
		s.connect(s.poll)
		ends := []func(){
			s.Close, s.CloseNow, func() { s.terminate(ReasonPingTimeout, nil) }, func() { srv.Disconnect(s.ID()) },
			func() { s.receive(codec.Packet{Type: codec.Close}, nil) }, func() { s.receive(ping(), nil) },
		}
		var all sync.WaitGroup
		begin := make(chan struct{})
		for i := range 50 {
			all.Go(func() {
				<-begin
				for range rand.N(20) {
					s.receive(text("x"), nil)
				}
				ends[i%len(ends)]()
			})
		}
		close(begin)
		all.Wait()
		settled(t, srv)
		if n := d.times("disconnect"); n != 1 || d.times("connect") != 1 {
			t.Fatalf("OnDisconnect ran %d times", n)
		}
	}
}

// OnDisconnect follows OnConnect or the moment it was due, and nothing else.
func TestNoDisconnectWithoutConnect(t *testing.T) {
	for name, open := range map[string]func(t *testing.T, srv *Server){
		"a refused handshake": func(t *testing.T, srv *Server) {
			s := newTestSession(t, srv, V4, Polling)
			s.terminate(ReasonServerClose, errors.New("refused"))
		},
		"ended before it opens": func(t *testing.T, srv *Server) {
			s := newTestSession(t, srv, V4, WebSocket)
			s.CloseNow()
			s.connect(&recorder{s: s})
		},
		"closed before it opens": func(t *testing.T, srv *Server) {
			s := newTestSession(t, srv, V4, Polling)
			s.Close()
			s.connect(s.poll)
		},
		"its id is taken": func(t *testing.T, srv *Server) {
			s := newTestSession(t, srv, V4, WebSocket)
			srv.registry.add(&Session{id: s.id})
			s.connect(&recorder{s: s})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &diary{t: t}
			srv := newTestServer(d.config(func(string, *Session) {}))
			open(t, srv)
			settled(t, srv)
			if len(d.lines) > 0 || srv.places.count() != 0 {
				t.Errorf("callbacks %q, %d sessions left", d.lines, srv.places.count())
			}
		})
	}
}

// OnDisconnect is due without an OnConnect to call.
func TestDisconnectWithNoOtherCallback(t *testing.T) {
	n := 0
	srv := newTestServer(Config{OnDisconnect: func(*Session, *CloseError) { n++ }})
	live(t, srv)
	settled(t, srv)
	if n != 1 {
		t.Errorf("OnDisconnect ran %d times", n)
	}
}

func TestPanicInACallback(t *testing.T) {
	for i, where := range callbacks {
		t.Run(where, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { panicking(t, i, where) })
		})
	}
}

// panicking has the i-th callback of a session panic, next to a session that does not.
func panicking(t *testing.T, i int, where string) {
	var book logbook
	d := &diary{t: t}
	var bad *Session
	config := d.config(func(now string, s *Session) {
		if now == where && s == bad {
			panic("oops")
		}
	})
	config.Logger = slog.New(&book)
	srv := newTestServer(config)
	good := newTestSession(t, srv, V4, Polling)
	good.connect(good.poll)

	bad = newTestSession(t, srv, V4, Polling)
	bad.connect(bad.poll)
	bad.receive(text("hello"), nil)
	bad.runOnUpgrade()
	bad.CloseNow()
	synctest.Wait() // OnDisconnect is through
	want := ReasonPanic
	if where == "disconnect" {
		want = ReasonServerClose
	}
	if r := reasonOf(t, bad); r != want {
		t.Errorf("reason %v, want %v", r, want)
	}
	if err := context.Cause(bad.Context()); want == ReasonPanic && !strings.Contains(err.Error(), "oops") {
		t.Errorf("the cause %q does not say what happened", err)
	}
	if n := d.times("disconnect"); n != 1 || d.times("message") != min(i, 1) {
		t.Errorf("after a panic the callbacks are %q", d.lines)
	}
	if n := book.count("ERROR engineio: panic"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	d.over.Store(false)
	good.receive(text("still here"), nil)
	if good.isClosed() || untold(srv) != 1 {
		t.Error("another session is touched")
	}
	good.CloseNow()
}

func TestPanicInHandshake(t *testing.T) {
	var book logbook
	srv := newTestServer(Config{
		OnHandshake:  func(*Session, *fasthttp.RequestCtx) error { panic("oops") },
		OnDisconnect: func(*Session, *CloseError) { t.Error("OnDisconnect of a refused session") },
		Logger:       slog.New(&book),
	})
	ctx := new(fasthttp.RequestCtx)
	srv.handshake(ctx, request{transport: Polling, revision: V4})
	if ctx.Response.StatusCode() != 500 || srv.places.count() != 0 || book.count("ERROR engineio: panic") != 1 {
		t.Errorf("answered %d %s, %d sessions left", ctx.Response.StatusCode(), ctx.Response.Body(), srv.places.count())
	}
}

func TestEnterAndLeave(t *testing.T) {
	srv := newTestServer(Config{})
	s, _ := openRecorded(t, srv, V4)
	if !s.lockCallbacks(onMessage) {
		t.Fatal("an open session has no turn to give")
	}
	if s.callbackMu.TryLock() {
		t.Fatal("the turn is given twice")
	}
	s.unlockCallbacks(onMessage)
	if !s.callbackMu.TryLock() {
		t.Fatal("the turn is not given back")
	}
	s.callbackMu.Unlock()
	s.CloseNow()
	settled(t, srv) // which takes the turn
	if s.lockCallbacks(onMessage) {
		t.Error("a closed session gives a turn")
	}
	if !s.callbackMu.TryLock() {
		t.Fatal("a turn that was refused is held")
	}
	s.callbackMu.Unlock()
}
