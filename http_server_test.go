package engineio

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// shutsDown is what a test has of an HTTP server: it shuts down when the function is called.
func shutsDown(srv *Server) (h *httpServer, shutDown func()) {
	done := make(chan struct{})
	return srv.watch(done), func() { close(done) }
}

func TestHTTPServersAreWatchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		done := make(chan struct{})
		h := srv.watch(done)
		other, _ := shutsDown(srv)
		if h == nil || srv.watch(done) != h || other == h || srv.watch(nil) != nil {
			t.Error("an HTTP server is watched twice, or two as one")
		}
		if n := testing.AllocsPerRun(100, func() { srv.watch(done) }); n > 0 {
			t.Errorf("%v allocations for a request of an HTTP server that is known", n)
		}
		close(done)
		synctest.Wait()
		if late := srv.watch(done); !h.isEnding() || !late.isEnding() || len(srv.watched()) != 1 {
			t.Error("one that has shut down is not known to have")
		}
		shut(srv)
	})
}

// The end of one of several HTTP servers ends the sessions that live on it, and the end of the last the Server.
func TestEndOfOneHTTPServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		first, endFirst := shutsDown(srv)
		second, endSecond := shutsDown(srv)
		open := func(h *httpServer) *Session {
			s := openPolling(t, srv, V4)
			s.servedBy(h, Polling)
			return s
		}
		onFirst, onSecond, came, went, nowhere := open(first), open(second), open(first), open(second), openPolling(t, srv, V4)
		came.servedBy(second, Polling)
		went.servedBy(first, Polling)
		onFirst.servedBy(second, WebSocket) // it is not on a WebSocket: the request was late
		endFirst()
		synctest.Wait()
		for name, c := range map[string]struct {
			s     *Session
			lives bool
		}{"on the first": {onFirst, false}, "on the second": {onSecond, true}, "went to the second": {came, true},
			"went to the first": {went, false}, "on one that cannot shut down": {nowhere, true}} {
			if c.s.over.Load() == c.lives {
				t.Errorf("a session %s: is it over? %v", name, c.s.over.Load())
			}
		}
		if reason, _ := onFirst.closeCause(); reason != ReasonShutdown {
			t.Errorf("ended with %v", reason)
		}
		if srv.draining.Load() || srv.Go(func(context.Context) {}) != nil {
			t.Error("the Server has ended with the first of its HTTP servers")
		}
		endSecond()
		synctest.Wait()
		if !srv.draining.Load() || !errors.Is(srv.Go(nil), ErrShutdown) || !onSecond.over.Load() || !nowhere.over.Load() {
			t.Error("the Server has not ended with the last of its HTTP servers")
		}
		shut(srv)
	})
}

// What begins on an HTTP server while that shuts down is refused, or closed.
func TestRequestsOfAnEndingHTTPServer(t *testing.T) {
	srv := newTestServer(Config{})
	ctx := incoming("GET", handshake4)
	ending := &httpServer{done: ctx.Done()}
	ending.ended.Store(true)
	srv.httpServers.Store(&[]*httpServer{ending})
	if srv.ServeFastHTTP(ctx); ctx.Response.StatusCode() != 503 || srv.places.count() != 0 {
		t.Errorf("a handshake is answered %d", ctx.Response.StatusCode())
	}
	s := openPolling(t, srv, V4)
	if s.servedBy(ending, Polling); !s.over.Load() {
		t.Error("a session goes on there")
	}
	if status, body := get(s); status != 200 || body != "1" {
		t.Errorf("its GET is answered %d %q", status, body)
	}
	asked := newTestSession(t, srv, V4, Polling) // its OnHandshake has taken its time
	asked.http.Store(ending)
	if err := asked.connect(asked.poll); err != nil || !asked.over.Load() || srv.Len() != 0 {
		t.Errorf("a session opens there: %v", err)
	}
	shut(srv)
	settled(t, srv)
}
