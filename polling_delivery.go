package engineio

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// A delivery is a large answer to a GET, above keepBody, from when its packets leave the queue until the HTTP server has
// written it, which it does after the handler has returned. A session has one at most: the next GET waits for its end.
//
// Until then the answer counts in the Server's budget, and a session that has ended keeps its place among MaxSessions, so
// that a client which reads nothing holds no more memory than one that reads. A smaller answer lies in the buffer that
// its connection keeps for the next one, and the HTTP server bounds the connections.
//
// fasthttp calls Close, on every value of a request that has it, when the response is written or has failed.
type delivery struct {
	s     *Session
	began time.Duration // of Server.now
	bytes int           // counted in Server.queued; used by the goroutine that serves the request
	late  bool          // the session had ended and given back its place, so the delivery has taken another

	mu    sync.Mutex
	conn  net.Conn // nil before send; beneath fasthttp's wrapper, which is used for another client when it was closed
	until time.Time
	done  bool
}

// deliveryUnit is how many bytes a client has WriteTimeout for.
const deliveryUnit = 64 << 10

// overlapTime is how long a GET waits for the delivery of the answer before it. A client sends the next GET when it has
// read that answer to its end or dropped its connection, and the server learns of either in less time.
const overlapTime = 2 * time.Second

type deliveryKey struct{}

// countResponse counts the body of r in the budget, again when the body was replaced. A large one becomes the session's
// delivery.
func (p *polling) countResponse(r *response) {
	srv, d, n := p.s.srv, r.delivery, cap(r.body)
	if d == nil && n <= keepBody {
		return
	}
	if d == nil {
		d = &delivery{s: p.s, began: srv.now()}
		srv.busy.add()
		before, ended := p.s.setDelivery(d)
		assert(before == nil, "two large answers of a session are under way")
		if d.late = ended; ended {
			srv.places.add()
		}
		r.delivery = d
		r.ctx.SetUserValue(deliveryKey{}, d) // from here on it is closed however the request ends
	}
	srv.queued.add(n - d.bytes)
	d.bytes = n
}

// send bounds the time in which the client may read r. Otherwise a client that does not read would hold the connection,
// its goroutine and the response for ever.
func (d *delivery) send(r *response) {
	switch {
	case d == nil:
		return
	case cap(r.body) <= keepBody || r.ctx.ConnRequestNum() == 0:
		_ = d.Close() // compression has made it small, or there is no connection, as in tests
		return
	}
	units := 1 + len(r.body)/deliveryUnit
	d.setDeadline(d.s.srv.innerConn(r.ctx.Conn()), time.Duration(units)*d.s.srv.config.WriteTimeout)
	if d.s.isClosed() {
		d.shortenDeadline()
	}
}

// shortenDeadline gives the delivery CloseTimeout, when its session has ended.
func (d *delivery) shortenDeadline() { d.setDeadline(nil, d.s.srv.config.CloseTimeout) }

// setDeadline gives the delivery no more than that time from now on. conn is its connection, nil when that is set already
// or is not known yet.
func (d *delivery) setDeadline(conn net.Conn, within time.Duration) {
	until := time.Now().Add(within)
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

// Close ends the delivery. What the client did not take in time is lost, so the session ends too. A broken connection does
// not show that something was lost: HAProxy resets a connection on which it has read the whole of a large response.
func (d *delivery) Close() error {
	d.mu.Lock()
	closed := d.done
	d.done = true // no other goroutine touches conn from here on
	d.mu.Unlock()
	if closed {
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

// expired reports whether the deadline has passed: the delivery's, or that of the HTTP server's WriteTimeout, which takes
// its place. An empty write fails then, and does nothing otherwise.
func (d *delivery) expired() bool {
	switch d.conn.(type) {
	case *net.TCPConn, *tls.Conn:
		_, err := d.conn.Write(nil)
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	return time.Now().After(d.until)
}

// delivered ends the session's delivery, and gives back the place of a session that has ended. A client that read for
// long could not ask for a ping or answer one meanwhile, so its heartbeat gets more time.
func (s *Session) delivered(d *delivery) {
	if s.srv.now()-d.began > slowAfter {
		s.pingGrace.mark()
	}
	_, ended := s.setDelivery(nil)
	switch {
	case d.late:
		s.srv.places.done()
	case ended:
		s.srv.releasePlace(s.remote.Addr())
	}
	s.srv.busy.done()
	s.poll.wake()
}

// delivering reports whether a delivery is under way, which the client reads before it can ask for a ping.
func (p *polling) delivering() bool { return p != nil && p.delivery.Load() != nil }

// awaitsDelivery reports whether a GET has to wait for the delivery of the answer before it. It need not when the session
// has ended, since only the close packet is left, and not after an upgrade.
func (p *polling) awaitsDelivery() bool {
	return p.delivering() && p.s.Transport() == Polling && !p.s.isClosed()
}

// overlap ends a session whose client sends GETs and does not read the answers, unless d has ended while the GET waited
// for it.
func (p *polling) overlap(d *delivery) {
	if p.delivery.Load() == d {
		p.s.terminate(ReasonTransportError, errPollOverlap)
	}
}
