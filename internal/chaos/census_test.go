package chaos_test

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A census is what there is of things that must not stay.
type census struct {
	goroutines, files int
	heap              uint64
}

// String is for the figures.
func (c census) String() string {
	return fmt.Sprintf("%d goroutines, %d descriptors, %d KB heap", c.goroutines, c.files, c.heap>>10)
}

// take counts, after two collections: what pools hold survives one.
func take() census {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return census{goroutines(), files(), m.HeapAlloc}
}

func goroutines() int { return runtime.NumGoroutine() }

// files is 0 where the system does not tell.
func files() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// settle waits until nothing is left but what base has.
func (r *run) settle(base census) {
	var left string
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if left = r.leftovers(base); left == "" {
			return
		}
	}
	r.fail(fmt.Sprintf("%s %v after the last client; goroutines of the engine:\n%s", left, patience, engineStacks()))
}

// engineStacks are the stacks that tell something.
func engineStacks() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var told []string
	for _, stack := range strings.Split(string(stacks), "\n\n") {
		if strings.Contains(stack, "engineio.(") && len(told) < shown {
			told = append(told, stack)
		}
	}
	return strings.Join(told, "\n\n")
}

func (r *run) leftovers(base census) string {
	for _, s := range r.stacks {
		if n := s.srv.Len(); n != 0 {
			return fmt.Sprintf("%s has %d sessions", s.name, n)
		}
		if n := s.conns(); n != 0 {
			return fmt.Sprintf("%s has %d connections", s.name, n)
		}
	}
	if n := goroutines(); n > base.goroutines {
		return fmt.Sprintf("%d goroutines, %d before,", n, base.goroutines)
	}
	if n := files(); n > base.files {
		return fmt.Sprintf("%d descriptors, %d before,", n, base.files)
	}
	return ""
}

// checkRegistries looks for sessions of the past. One that the server still knows refuses a request in the other
// revision with code 3 instead of 1, even when it is closed. It may for 2 seconds, for a last poll.
func (r *run) checkRegistries() {
	deadline := time.Now().Add(10 * time.Second)
	for _, s := range r.stacks {
		for range s.srv.Sessions() {
			r.fail(s.name + " has an open session in Sessions")
		}
		l := &line{stack: s}
		for _, id := range s.ids {
			sid := string(bytes.TrimRight(id[:], "\x00"))
			if sid == "" {
				continue
			}
			if _, open := s.srv.Session(sid); open {
				r.fail(s.name + " has an open session")
			}
			err := s.forgot(l, sid)
			for err != nil && time.Now().Before(deadline) {
				time.Sleep(100 * time.Millisecond)
				err = s.forgot(l, sid)
			}
			if err != nil {
				r.fail(fmt.Sprintf("%s keeps a session: %v", s.name, err))
			}
		}
		l.close()
	}
}

func (s *stack) forgot(l *line, sid string) error {
	for _, revision := range []codec.Revision{codec.V3, codec.V4} {
		reply, err := l.do("POST", enginetest.Setup{Revision: revision}.URI("polling", sid), []byte{})
		if err != nil {
			return err
		}
		if reply.status != 400 || !strings.Contains(string(reply.body), `"code":1`) {
			return statusError{reply}
		}
	}
	return nil
}
