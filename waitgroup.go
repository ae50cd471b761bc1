package engineio

import (
	"context"
	"math"
	"sync"
)

// A waitGroup counts what Shutdown waits for. Unlike a sync.WaitGroup it can be waited for with a
// context, and it may grow while somebody waits.
type waitGroup struct {
	mu   sync.Mutex
	n    int
	zero chan struct{} // closed when n falls to 0; made by the first that waits
}

func (t *waitGroup) add() { t.tryAdd(math.MaxInt) }

// tryAdd fails when there are as many as limit.
func (t *waitGroup) tryAdd(limit int) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n >= limit {
		return false
	}
	t.n++
	return true
}

func (t *waitGroup) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n
}

func (t *waitGroup) done() {
	t.mu.Lock()
	t.n--
	assert(t.n >= 0, "more were done than came")
	if t.n == 0 && t.zero != nil {
		close(t.zero)
		t.zero = nil
	}
	t.mu.Unlock()
}

func (t *waitGroup) wait(ctx context.Context) error {
	t.mu.Lock()
	if t.n == 0 {
		t.mu.Unlock()
		return nil
	}
	if t.zero == nil {
		t.zero = make(chan struct{})
	}
	zero := t.zero
	t.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
