package engineio

import (
	"math"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/conncheck"
)

// A tlsWriteWatch gives a write of a tls.Conn more time as long as the client takes something. A deadline that passes
// would break the tls.Conn for good, and the write itself does not show progress: a full socket takes more only when a
// third of its buffer is free, and of 4 MB that is more than a slow client reads within WriteTimeout.
//
// Each webSocket over TLS has its own. They are not pooled, since a timer that was made in a synctest bubble must not be
// used outside of it.
type tlsWriteWatch struct {
	w     *webSocket
	timer *time.Timer

	mu      sync.Mutex
	writing bool
	unread  int // what the client had not taken at the last check, in bytes
}

// tlsChecks is how often a watch checks within WriteTimeout. A client that takes nothing any more is given up a
// WriteTimeout and one such part after it last took something.
const tlsChecks = 4

// watchTLSWrite starts to watch one write, whose deadline is set. The caller has claimed the outbox.
func (w *webSocket) watchTLSWrite() *tlsWriteWatch {
	g, every := w.tlsWatch, w.s.srv.config.WriteTimeout/tlsChecks
	if g == nil {
		g = &tlsWriteWatch{w: w}
		w.tlsWatch = g
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

// check gives the write more time when the client has taken something since the last check. A timer that fires late may
// call it during the next write, where one check more does no harm.
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
		g.w.extendDeadline()
	}
	g.unread = n
	g.timer.Reset(g.w.s.srv.config.WriteTimeout / tlsChecks)
}

// extendDeadline gives the write under way WriteTimeout from now on. It does nothing for a session that is closing, whose
// writes are bounded by CloseTimeout.
func (w *webSocket) extendDeadline() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil && !w.lastTry && !w.s.over.Load() {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.s.srv.config.WriteTimeout))
	}
}
