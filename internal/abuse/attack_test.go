package abuse

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// attack strikes a server of each variant, n times small or large. It does so twice: the first time warms the
// server up, the second is measured. In between and afterwards everything must be as it was: normal clients
// are served, no session, goroutine or descriptor is left, and the heap is what it was after the first time.
func attack(t *testing.T, s spec, small, large int, strike func(t *testing.T, x *target, n int)) {
	alongside(t)
	for _, v := range variants {
		if v.tuned != enginetest.Tuned() && !*full {
			continue // as everywhere, the environment says which
		}
		t.Run(v.name, func(t *testing.T) {
			alongside(t)
			s := s
			s.Fiber, s.Tuned = v.fiber, v.tuned
			n := size(small, large)
			s.Goroutines = max(s.Goroutines, 3*min(n, 10_000)) // how many meet is different each time
			x := launch(t, s)
			idle := x.counts(t)
			served(t, x)
			strike(t, x, n)
			before := x.rest(t, idle)
			r := result{attack: t.Name(), paceBefore: pace(t, x), heapBefore: before.Heap}
			x.rest(t, idle)
			x.forget(t)
			x.struck = n
			start := time.Now()
			strike(t, x, n)
			r.n = x.struck
			r.took = time.Since(start)
			r.peak = x.peak(t)
			served(t, x)
			r.paceAfter = pace(t, x)
			r.heapAfter = x.back(t, idle, before, r.n).Heap
			note(r)
		})
	}
}

// alongside lets a test run beside others, unless figures are wanted.
func alongside(t *testing.T) {
	if !*full {
		t.Parallel()
	}
}

// idleGoroutines are main, Accept, fasthttp's janitor and its clock, and the one that ties the engine to its
// HTTP server.
const idleGoroutines = 5

// atRest tells that nothing of any client is left.
func (f figures) atRest(idle figures) bool {
	return f.Len == 0 && f.Files <= idle.Files && f.Goroutines <= idleGoroutines
}

// rest waits until nothing of any client is left, given the figures from before the first.
func (x *target) rest(t *testing.T, idle figures) figures {
	t.Helper()
	return x.awaited(t, commandHeap, fmt.Sprintf("at rest like %+v", idle), func(f figures) bool { return f.atRest(idle) })
}

// What the heap may differ by beside a tenth: closed polling sessions are remembered for two seconds, and a
// tenth of a small heap is little. Maps and timer heaps that held n sessions or connections keep their room,
// and how often they have doubled depends on when: an entry takes up to 25 bytes, in tables that may be half
// empty.
const (
	slack    = 128 << 10
	slackFor = 2 * 25
)

// back is rest, and memory is as it was before n strikes.
func (x *target) back(t *testing.T, idle, before figures, n int) figures {
	t.Helper()
	limit := before.Heap + before.Heap/10 + slack + slackFor*uint64(n)
	return x.awaited(t, commandHeap, fmt.Sprintf("the heap back at %d, all at rest like %+v", limit, idle), func(f figures) bool {
		return f.atRest(idle) && f.Heap <= limit
	})
}

// crowd does something n times with workers at once, until the first error.
func crowd(n, workers int, do func(i int) error) error {
	var wait sync.WaitGroup
	next := make(chan int)
	errs := make(chan error, workers)
	for range workers {
		wait.Go(func() {
			for i := range next {
				if err := do(i); err != nil {
					errs <- fmt.Errorf("number %d: %w", i, err)
					return
				}
			}
		})
	}
	var err error
	for i := 0; i < n && err == nil; i++ {
		select {
		case next <- i:
		case err = <-errs:
		}
	}
	close(next)
	wait.Wait()
	if err == nil && len(errs) > 0 {
		err = <-errs
	}
	return err
}

// A result is a line of the table.
type result struct {
	attack                string
	n                     int
	took                  time.Duration
	peak                  int // bytes of RSS
	heapBefore, heapAfter uint64
	paceBefore, paceAfter time.Duration
}

var (
	resultsMu sync.Mutex
	results   []result
)

func note(r result) {
	resultsMu.Lock()
	defer resultsMu.Unlock()
	results = append(results, r)
}

// figuresTable is what there is to say after a run in full size.
func figuresTable() string {
	if !*full || len(results) == 0 {
		return ""
	}
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "attack\thow many\tseconds\tper second\tpeak RSS\theap before\tafter\techo before\tafter")
	for _, r := range results {
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%.0f\t%.1f MB\t%d KB\t%d KB\t%v\t%v\n", r.attack, r.n, r.took.Seconds(),
			float64(r.n)/r.took.Seconds(), float64(r.peak)/1e6, r.heapBefore>>10, r.heapAfter>>10,
			r.paceBefore.Round(time.Microsecond), r.paceAfter.Round(time.Microsecond))
	}
	_ = w.Flush() // into memory
	return b.String()
}
