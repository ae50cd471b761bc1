package engineio

import (
	"math"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/conncheck"
)

// A tlsWriteWatch gives the writes of a tls.Conn, which a deadline would break for good, more time as long as the
// client takes something. The write itself cannot tell: a full socket goes on when a third of its buffer is free,
// and of 4 MB that is more than a slow client reads within WriteTimeout.
//
// Each webSocket over TLS has its own. A pool of the process would do for memory, but a timer that was made in a
// synctest bubble must not be used outside of it.
type tlsWriteWatch struct {
	w     *webSocket
	timer *time.Timer

	mu      sync.Mutex
	writing bool
	unread  int // at the last look
}

// looks is how often a grace looks within WriteTimeout. A client that has stopped is given up this part later.
const tlsChecks = 4

// watchTLSWrite is for one write, whose deadline is set. The caller has claimed the outbox.
func (w *webSocket) watchTLSWrite() *tlsWriteWatch {
	g, every := w.grace, w.s.srv.config.WriteTimeout/tlsChecks
	if g == nil {
		g = &tlsWriteWatch{w: w}
		w.grace = g
	}
	g.mu.Lock()
	g.writing, g.unread = true, math.MaxInt
	if g.timer == nil {
		g.timer = time.AfterFunc(every, g.check)
	} else {
		g.timer.Reset(every)
	}
	g.mu.Unlock()
	return g
}

func (g *tlsWriteWatch) stop() {
	g.mu.Lock()
	g.writing = false
	g.timer.Stop()
	g.mu.Unlock()
}

// check may come late, during the next write: then it is early there.
func (g *tlsWriteWatch) check() {
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
	g.timer.Reset(g.w.s.srv.config.WriteTimeout / tlsChecks)
}

// extend gives the write under way WriteTimeout from now on. A session that has ended has its own bound.
func (w *webSocket) extend() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && !w.final && !w.s.over.Load() {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.s.srv.config.WriteTimeout))
	}
}
