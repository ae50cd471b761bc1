package engineio

import (
	"math"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/conncheck"
)

// A grace gives a write of a tls.Conn, which a deadline would break for good, more time as long as the
// client takes something. The write itself cannot tell: a full socket goes on when a third of its buffer is free,
// and of 4 MB that is more than a slow client reads within WriteTimeout.
type grace struct {
	timer *time.Timer

	mu     sync.Mutex
	w      *webSocket // nil when it has ended
	unread int        // at the last look
}

// looks is how often a grace looks within WriteTimeout. A client that has stopped is given up this part later.
const looks = 4

var graces = sync.Pool{New: func() any {
	g := new(grace)
	g.timer = time.AfterFunc(math.MaxInt64, g.look)
	return g
}}

// newGrace is for one write of w's, whose deadline is set.
func newGrace(w *webSocket) *grace {
	g := graces.Get().(*grace)
	g.mu.Lock()
	g.w, g.unread = w, math.MaxInt
	g.timer.Reset(w.s.srv.config.WriteTimeout / looks)
	g.mu.Unlock()
	return g
}

func (g *grace) end() {
	g.mu.Lock()
	g.w = nil
	g.timer.Stop()
	g.mu.Unlock()
	graces.Put(g)
}

// look may come late, when the grace is that of another write: then it is early there.
func (g *grace) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.w == nil {
		return
	}
	n, ok := conncheck.Unread(g.w.conn)
	if !ok {
		return
	}
	if n < g.unread {
		g.w.extend()
	}
	g.unread = n
	g.timer.Reset(g.w.s.srv.config.WriteTimeout / looks)
}

// extend gives the write under way WriteTimeout from now on. A session that has ended has its own bound.
func (w *webSocket) extend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && !w.final && !w.s.over.Load() {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.s.srv.config.WriteTimeout))
	}
}
