package chaos_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A run is one chaos with its servers.
type run struct {
	t       *testing.T
	seed    uint64
	stacks  []*stack
	visits  sync.Map // token to *visit
	figures figures

	cut      time.Time   // when the servers lose patience with clients that have vanished; set before closing
	closing  atomic.Bool // the servers shut down
	failures atomic.Int32
}

// shown is how many failures are told in full.
const shown = 20

func (r *run) fail(what string) {
	if n := r.failures.Add(1); n <= shown {
		r.t.Error(what)
	}
}

// figures are what was counted.
type figures struct {
	up, down           atomic.Int64 // messages
	upBytes, downBytes atomic.Int64

	mu     sync.Mutex
	counts map[string]int
}

func (f *figures) sent(n int) {
	f.up.Add(1)
	f.upBytes.Add(int64(n))
}

func (f *figures) received(n int) {
	f.down.Add(1)
	f.downBytes.Add(int64(n))
}

func (f *figures) count(what string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.counts == nil {
		f.counts = make(map[string]int)
	}
	f.counts[what]++
}

func (f *figures) String() string {
	return fmt.Sprintf("%d messages up (%d MB), %d down (%d MB)",
		f.up.Load(), f.upBytes.Load()>>20, f.down.Load(), f.downBytes.Load()>>20)
}
