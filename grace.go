package engineio

import (
	"math"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/conncheck"
)

// A grace gives the writes of a tls.Conn, which a deadline would break for good, more time as long as the
// client takes something. The write itself cannot tell: a full socket goes on when a third of its buffer is free,
// and of 4 MB that is more than a slow client reads within WriteTimeout.
//
// Each webSocket over TLS has its own. A pool of the process would do for memory, but a timer that was made in a
// synctest bubble must not be used outside of it.
type grace struct {
	w     *webSocket
	timer *time.Timer

	mu      sync.Mutex
	writing bool
	unread  int // at the last look
}

// looks is how often a grace looks within WriteTimeout. A client that has stopped is given up this part later.
const looks = 4

// beginGrace is for one write, whose deadline is set. The caller has claimed the outbox.
func (w *webSocket) beginGrace() *grace {
	g, every := w.grace, w.s.srv.config.WriteTimeout/looks
	if g == nil {
		g = &grace{w: w}
		w.grace = g
	}
	g.mu.Lock()
	g.writing, g.unread = true, math.MaxInt
	if g.timer == nil {
		g.timer = time.AfterFunc(every, g.look)
	} else {
		g.timer.Reset(every)
	}
	g.mu.Unlock()
	return g
}

func (g *grace) end() {
	g.mu.Lock()
	g.writing = false
	g.timer.Stop()
	g.mu.Unlock()
}

// look may come late, during the next write: then it is early there.
func (g *grace) look() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.writing {
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
