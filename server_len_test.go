package engineio

import (
	"errors"
	"testing"

	"github.com/valyala/fasthttp"
)

// Len counts what Sessions walks over, from OnConnect until the session closes; MaxSessions also counts handshakes and
// sessions that are closing.
func TestLenCountsOpenSessions(t *testing.T) {
	var srv *Server
	check := func(when string, open, places int) {
		t.Helper()
		walked := 0
		for range srv.Sessions() {
			walked++
		}
		if n := srv.Len(); n != open || walked != open || srv.places.count() != places {
			t.Errorf("%s: Len is %d, Sessions walks over %d, want %d; %d count for MaxSessions, want %d",
				when, n, walked, open, srv.places.count(), places)
		}
	}
	srv = newTestServer(Config{
		OnHandshake: func(_ *Session, ctx *fasthttp.RequestCtx) error {
			check("in OnHandshake", 0, 1)
			if ctx.QueryArgs().Has("refuse") {
				return errors.New("no")
			}
			return nil
		},
		OnConnect:    func(*Session) { check("in OnConnect", 1, 1) },
		OnDisconnect: func(*Session, *CloseError) { check("in OnDisconnect", 0, 0) },
	})
	visit(t, srv, "GET", handshake4+"&refuse=1")
	check("refused", 0, 0)
	for _, end := range []func(*Session){(*Session).Close, (*Session).CloseNow} {
		visit(t, srv, "GET", handshake4)
		check("open", 1, 1)
		for s := range srv.Sessions() {
			end(s)
			closing := 1
			if s.isClosed() {
				closing = 0
			}
			check("closing", 0, closing)
			s.CloseNow()
		}
		settled(t, srv)
		check("ended", 0, 0)
	}
}

// A session that was closed by another goroutine before it opened, or whose id is taken, never counts.
func TestLenOfSessionsThatDoNotOpen(t *testing.T) {
	srv := newTestServer(Config{})
	closed := newTestSession(t, srv, V4, Polling)
	closed.Close()
	if closed.connect(closed.poll) == nil || srv.Len() != 0 {
		t.Errorf("a session that was closed before counts: %d", srv.Len())
	}
	taken := newTestSession(t, srv, V4, Polling)
	srv.registry.add(&Session{id: taken.id})
	if taken.connect(taken.poll) == nil || srv.Len() != 0 {
		t.Errorf("a session without a place in the registry counts: %d", srv.Len())
	}
	srv.registry = registry{}
	srv.registry.init()
	settled(t, srv)
}
