package engineio

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/ws"
)

// A census knows every session of a test run, and what was found broken.
var census struct {
	mu       sync.Mutex
	made     int
	sessions []*Session
	servers  map[*Server]string // and the test that made the first session
	faults   []string
}

const censusSweep = 1000

func init() {
	census.servers = make(map[*Server]string)
	assertFailed = func(what string) { fault(what + "\n" + string(debug.Stack())) }
	onNewSession = enroll
}

func fault(what string) {
	census.mu.Lock()
	defer census.mu.Unlock()
	census.faults = append(census.faults, what)
}

// enroll takes note of a session. Those that are through with everything are let go of from time to time.
func enroll(s *Session) {
	census.mu.Lock()
	defer census.mu.Unlock()
	if _, known := census.servers[s.srv]; !known {
		census.servers[s.srv] = caller()
	}
	census.sessions = append(census.sessions, s)
	if census.made++; census.made%censusSweep == 0 {
		sift()
	}
}

// caller names the test that runs on this goroutine.
func caller() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if _, name, found := strings.Cut(frame.Function, "engineio.Test"); found {
			return "Test" + name
		}
		if !more {
			return "a test over a socket"
		}
	}
}

// sift lets go of who has ended in good order. The caller holds census.mu.
func sift() {
	var kept []*Session
	held := make(map[*Server]bool)
	for _, s := range census.sessions {
		if !s.isClosed() || len(s.unfinished()) > 0 {
			kept = append(kept, s)
			held[s.srv] = true
		}
	}
	census.sessions = kept
	for srv := range census.servers {
		if !held[srv] && srv.closing.Load() && len(srv.unfinished()) == 0 {
			delete(census.servers, srv)
		}
	}
}

// Broken says what of the invariants does not hold at the end of a test run, when everything that may still be under
// way has had some time.
func Broken() (faults []string) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if faults = lasting(); len(faults) == 0 || time.Now().After(deadline) {
			break
		}
	}
	census.mu.Lock()
	defer census.mu.Unlock()
	return append(faults, census.faults...)
}

// lasting is what does not hold now.
func lasting() (faults []string) {
	census.mu.Lock()
	defer census.mu.Unlock()
	open := make(map[*Server]bool)
	for _, s := range census.sessions {
		open[s.srv] = open[s.srv] || !s.isClosed()
		for _, what := range append(s.out.inconsistent(), s.unfinished()...) {
			faults = append(faults, fmt.Sprintf("%s: a session (%v): %s", census.servers[s.srv], s.reason, what))
		}
	}
	for srv, test := range census.servers {
		if open[srv] || !srv.closing.Load() {
			continue
		}
		for _, what := range srv.unfinished() {
			faults = append(faults, test+": a server: "+what)
		}
	}
	return faults
}

// inconsistent is what does not hold for a queue, at any time.
func (o *outbox) inconsistent() (faults []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sent > o.taken || o.taken > o.pushed {
		faults = append(faults, fmt.Sprintf("%d packets pushed, %d taken, %d left", o.pushed, o.taken, o.sent))
	}
	size := 0
	for c := o.first; c != nil; c = c.next {
		if len(c.frames()) == 0 {
			faults = append(faults, "an empty chunk")
		}
		if c.next == nil && c != o.last {
			faults = append(faults, "the last chunk is not the last")
		}
		size += c.counted(o.revision)
	}
	if size != o.size {
		faults = append(faults, fmt.Sprintf("a size of %d, and %d in the queue", o.size, size))
	}
	return faults
}

// counted is how much of a chunk counts against MaxQueuedBytes: not the open packet and pings.
func (c *chunk) counted(rev Revision) (n int) {
	if c.compressed {
		return len(c.frames())
	}
	for frames := c.frames(); len(frames) > 0; {
		op, payload, rest := ws.Split(frames)
		if op == ws.Pong || bounded(unframe(rev, op, payload).Type) || isMessage(op, payload) {
			n += len(frames) - len(rest)
		}
		frames = rest
	}
	return n
}

// unfinished is what a session that has ended still has, in the end.
func (s *Session) unfinished() (faults []string) {
	if !s.isClosed() {
		return nil
	}
	if n := s.pingGrace.state.Load(); n > 1 {
		faults = append(faults, fmt.Sprintf("%d excuses", n/2))
	}
	if s.callbackRuns.Load() {
		faults = append(faults, "a callback")
	}
	if s.poll.delivering() {
		faults = append(faults, "an answer under way")
	}
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	if s.out.corks != 0 {
		faults = append(faults, fmt.Sprintf("%d corks", s.out.corks))
	}
	if s.out.first != nil {
		faults = append(faults, "packets in the queue")
	}
	if s.out.busy {
		faults = append(faults, "somebody who writes")
	}
	return faults
}

// unfinished is what a server that was shut down still has, in the end.
func (srv *Server) unfinished() (faults []string) {
	srv.registry.each(func(s *Session) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.beat.phase != beatLinger { // one that does is there for two seconds, on a clock that may have stopped
			faults = append(faults, "a session in the registry")
		}
		return true
	})
	if n := srv.queued.used.Load(); n != 0 {
		faults = append(faults, fmt.Sprintf("%d bytes of queues", n))
	}
	if n := srv.places.count(); n != 0 {
		faults = append(faults, fmt.Sprintf("%d sessions", n))
	}
	if n := srv.Len(); n != 0 {
		faults = append(faults, fmt.Sprintf("%d open sessions", n))
	}
	if n := srv.busy.count(); n != 0 {
		faults = append(faults, fmt.Sprintf("%d that are busy", n))
	}
	srv.admission.mu.Lock()
	defer srv.admission.mu.Unlock()
	for from, one := range srv.admission.addresses {
		if one.sessions != 0 {
			faults = append(faults, fmt.Sprintf("%d sessions of %v", one.sessions, from))
		}
	}
	return faults
}
