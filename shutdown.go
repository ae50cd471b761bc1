package engineio

import (
	"context"
	"fmt"
	"strings"
	"sync"
)

// Shutdown refuses new sessions (503), closes the open ones as Session.Close does, with ReasonShutdown, and
// waits until they and the tasks of Go have ended. A Server cannot be used again after it.
//
// When ctx ends first it drops what is still queued, and returns an error that wraps the cause of ctx and says what it
// was waiting for, such as "1 session in OnMessage". What it waits for is also logged (Warn) when it takes longer than
// Config.CloseTimeout.
//
// In a callback or a task of Go it would wait for itself until ctx ends: start it by go there.
//
// Call it before the HTTP server's own Shutdown, so that long-polling clients can still fetch what was sent to them.
//
// The HTTP server's Shutdown alone closes the sessions that live on it, with ReasonShutdown, and refuses new ones there;
// so it hangs on no poll, but clients may miss what was sent. A session lives on the HTTP server that served its
// handshake, its last GET, or its WebSocket. The last of several HTTP servers also ends the Server, as Shutdown does
// within twice Config.CloseTimeout. One that has not served it a request yet does not count: call Shutdown yourself,
// once, when the whole process ends.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.draining.Store(true)
	srv.closing.Store(true)
	srv.cancel()
	srv.registry.each(func(s *Session) bool {
		s.close(ReasonShutdown)
		return true
	})
	err := srv.waitIdle(ctx)
	if why := err; err != nil {
		err = fmt.Errorf("engineio: Shutdown: %w, with %s left", why, srv.pending())
		srv.registry.each(func(s *Session) bool {
			s.terminate(ReasonShutdown, why)
			return true
		})
	}
	srv.stop.Do(func() { close(srv.stopped) })
	return err
}

// A sessionSet is a set of sessions, for several goroutines.
type sessionSet struct {
	mu  sync.Mutex
	all map[*Session]struct{}
}

func (l *sessionSet) add(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[*Session]struct{})
	}
	l.all[s] = struct{}{}
}

func (l *sessionSet) remove(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, s)
}

// waitIdle waits for all that busy counts, and logs what it waits for when that takes longer than clients can make it
// take.
func (srv *Server) waitIdle(ctx context.Context) error {
	for d := srv.config.CloseTimeout + callbackWarnAfter; ; d = noticeTime {
		until, cancel := context.WithTimeout(ctx, d)
		err := srv.busy.wait(until)
		cancel()
		if err == nil || ctx.Err() != nil {
			return err
		}
		srv.config.Logger.Warn("engineio: Shutdown still waits for " + srv.pending() +
			" (in a callback or a task of Go it would wait for itself: start it by go there)")
	}
}

// pending says what Shutdown waits for, such as "1 session in OnMessage, 2 tasks of Go".
func (srv *Server) pending() string {
	var found []string
	count := make(map[string]int)
	add := func(what string, n int) {
		if n > 0 && count[what] == 0 {
			found = append(found, what)
		}
		count[what] += n
	}
	srv.disconnecting.mu.Lock()
	for s := range srv.disconnecting.all {
		add("session in "+s.runningCallback().String(), 1)
	}
	srv.disconnecting.mu.Unlock()
	srv.registry.each(func(s *Session) bool {
		switch {
		case s.isClosed(): // it is in disconnecting, or Shutdown does not wait for it
		case s.callbackRuns.Load():
			add("session in "+s.runningCallback().String(), 1)
		default:
			add("session that is closing", 1)
		}
		return true
	})
	add("handshake in OnHandshake", int(srv.handshaking.Load()))
	add("task of Go", int(srv.tasks.Load()))
	if len(found) == 0 {
		add("connection that is closing", srv.busy.count())
	}
	for i, what := range found {
		noun, rest, _ := strings.Cut(what, " ")
		if n := count[what]; n > 1 {
			noun, rest = noun+"s", strings.Replace(rest, "that is", "that are", 1)
		}
		found[i] = fmt.Sprintf("%d %s %s", count[what], noun, rest)
	}
	return strings.Join(found, ", ")
}
