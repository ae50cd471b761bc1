package engineio

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
)

// slowTime is how long a callback may run, while a heartbeat looks, before the log is told.
const slowTime = 3 * time.Second

// suspect looks whether a callback keeps its session from reading for longer than slowTime. Only the heartbeat calls
// it, so it costs messages nothing; who blocks often, or for long, is found.
func (s *Session) suspect() {
	which, batch, ok := s.blocked()
	if !ok {
		return
	}
	time.AfterFunc(slowTime, func() {
		if now, last, ok := s.blocked(); ok && now == which && last == batch {
			s.srv.warn(noticeCallback, fmt.Sprintf("engineio: %v has not returned for %v, and its session reads nothing meanwhile: "+
				"do what takes long in a goroutine (Server.Go), or set Config.MaxConcurrentMessages", which, slowTime),
				"sid", s.id, "remote", s.remote)
		}
	})
}

// blocked tells which callback runs, and in which batch of packets. One that may be waiting for a slow client, by
// Flush, is not meant.
func (s *Session) blocked() (which callback, batch uint32, ok bool) {
	if s.slots != nil || !s.callbackRuns.Load() {
		return 0, 0, false
	}
	s.out.mu.Lock()
	batch, ok = s.out.batch, s.out.first == nil
	s.out.mu.Unlock()
	return s.has(), batch, ok
}

// latecomers are the sessions that have ended and have not told OnDisconnect so.
type latecomers struct {
	mu  sync.Mutex
	all map[*Session]struct{}
}

func (l *latecomers) add(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.all == nil {
		l.all = make(map[*Session]struct{})
	}
	l.all[s] = struct{}{}
}

func (l *latecomers) remove(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, s)
}

// waitIdle is busy.wait, and tells the log when it takes longer than clients can make it.
func (srv *Server) waitIdle(ctx context.Context) error {
	for d := srv.config.CloseTimeout + slowTime; ; d = noticeTime {
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
	note := func(what string, n int) {
		if n > 0 && count[what] == 0 {
			found = append(found, what)
		}
		count[what] += n
	}
	srv.late.mu.Lock()
	for s := range srv.late.all {
		note("session in "+s.has().String(), 1)
	}
	srv.late.mu.Unlock()
	srv.registry.each(func(s *Session) bool {
		switch {
		case s.isClosed(): // a latecomer, or none that anybody waits for
		case s.callbackRuns.Load():
			note("session in "+s.has().String(), 1)
		default:
			note("session that is closing", 1)
		}
		return true
	})
	note("handshake in OnHandshake", int(srv.asking.Load()))
	note("task of Go", int(srv.tasks.Load()))
	if len(found) == 0 {
		note("connection that is closing", srv.busy.count())
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
