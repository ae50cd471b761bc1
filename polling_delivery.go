package engineio

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A delivery is an answer to a GET above keepBody, from when its packets leave the queue until the HTTP server has
// written it, which it does after we have returned. A session has one at most: the next GET waits for its end. Until
// then the answer counts in the Server's budget, and a session that has ended keeps its place among MaxSessions, so
// that a client which reads nothing holds no more than one that reads. A smaller answer stands in the buffer that its
// connection keeps for the next one: it is a part of the connection, which the HTTP server bounds.
//
// fasthttp closes it, as a value of the request, when the response is written or has failed.
type delivery struct {
	s     *Session
	began time.Duration // of Server.now
	bytes int           // counted in Server.queued; touched by who serves the request
	late  bool          // the session's place had been given back before, so this takes another

	mu    sync.Mutex
	conn  net.Conn // nil before send; not the wrapper of fasthttp's, which is another client's when it was closed
	until time.Time
	done  bool
}

// deliveryUnit is what a client has WriteTimeout for.
const deliveryUnit = 64 << 10

// overlapTime is how long a GET waits for the answer before it to leave. A client sends none before it has read that
// answer to its end or dropped its connection, and the server knows of either in less.
const overlapTime = 2 * time.Second

type deliveryKey struct{}

// weigh counts the body of r, which may have taken the place of another, and makes a large one the session's delivery.
func (p *polling) weigh(r *response) {
	srv, d, n := p.s.srv, r.delivery, cap(r.body)
	if d == nil && n <= keepBody {
		return
	}
	if d == nil {
		d = &delivery{s: p.s, began: srv.now()}
		srv.busy.add()
		p.s.mu.Lock()
		d.late = p.s.state == stateClosed
		before := p.delivery.Swap(d)
		assert(before == nil, "two large answers of a session are under way")
		p.s.mu.Unlock()
		if d.late {
			srv.sessions.add()
		}
		r.delivery = d
		r.ctx.SetUserValue(deliveryKey{}, d) // from here on every way out of the request closes it
	}
	srv.queued.add(n - d.bytes)
	d.bytes = n
}

// send bounds the time in which the client may read r. Without it the connection of one that does not, the goroutine
// and the response would stay for ever.
func (d *delivery) send(r *response) {
	switch {
	case d == nil:
		return
	case cap(r.body) <= keepBody || r.ctx.ConnRequestNum() == 0:
		_ = d.Close() // it has become small, or nobody is served
		return
	}
	units := 1 + len(r.body)/deliveryUnit
	d.limit(d.s.srv.innerConn(r.ctx.Conn()), time.Duration(units)*d.s.srv.config.WriteTimeout)
	if d.s.isClosed() {
		d.hurry()
	}
}

// hurry gives the rest of a session that has ended CloseTimeout.
func (d *delivery) hurry() { d.limit(nil, d.s.srv.config.CloseTimeout) }

// limit lets the delivery, over conn if it is known by now, take no longer than that from now on.
func (d *delivery) limit(conn net.Conn, patience time.Duration) {
	until := time.Now().Add(patience)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.done {
		return
	}
	if conn != nil {
		d.conn = conn
	}
	if d.until.IsZero() || until.Before(d.until) {
		d.until = until
	}
	if d.conn != nil {
		_ = d.conn.SetWriteDeadline(d.until)
	}
}

// Close ends it. What the client did not take in time is lost, so the session ends with it. A connection that is
// broken tells nothing: HAProxy resets one that has brought it the whole of a large response.
func (d *delivery) Close() error {
	d.mu.Lock()
	over := d.done
	d.done = true // nobody else touches conn from here on
	d.mu.Unlock()
	if over {
		return nil
	}
	if d.conn != nil {
		if d.expired() {
			d.s.terminate(ReasonStalled, errStalled)
		}
		_ = d.conn.SetWriteDeadline(time.Time{})
	}
	d.s.srv.queued.add(-d.bytes)
	d.s.delivered(d)
	return nil
}

// expired reports whether the deadline has passed, ours or that of the HTTP server's WriteTimeout, which takes its place:
// a write of nothing fails then, and does nothing otherwise.
func (d *delivery) expired() bool {
	switch d.conn.(type) {
	case *net.TCPConn, *tls.Conn:
		_, err := d.conn.Write(nil)
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	return time.Now().After(d.until)
}

// delivered makes room for the next delivery, and for the next session if this one has ended. A client that took its
// time could not ask for a ping, or answer one.
func (s *Session) delivered(d *delivery) {
	if s.srv.now()-d.began > slowPace {
		s.pingGrace.mark()
	}
	s.mu.Lock()
	s.poll.delivery.Store(nil)
	ended := s.state == stateClosed
	s.mu.Unlock()
	switch {
	case d.late:
		s.srv.sessions.done()
	case ended:
		s.srv.dismiss(s.remote.Addr())
	}
	s.srv.busy.done()
	s.poll.wake()
}

// delivers reports whether a large answer is under way, which the client reads before it can ask for a ping.
func (p *polling) delivers() bool { return p != nil && p.delivery.Load() != nil }

// waits reports whether a GET has to wait for the answer before it. After the end there is only the last word to say,
// and after an upgrade nothing.
func (p *polling) waits() bool {
	return p.delivers() && p.s.Transport() == Polling && !p.s.isClosed()
}

// overlap ends a session whose client asks for more than it reads, unless d has left while a GET waited for it.
func (p *polling) overlap(d *delivery) {
	if p.delivery.Load() == d {
		p.s.terminate(ReasonTransportError, errPollOverlap)
	}
}
