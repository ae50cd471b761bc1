package engineio

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"time"
)

// A delivery is a large response that the HTTP server writes after we have returned. It gives a client that does not
// read a bound, without which its connection, the goroutine and the response would stay for ever.
//
// fasthttp closes it, as a value of the request, when the response is written or has failed.
type delivery struct {
	s     *Session
	conn  net.Conn // not the wrapper of fasthttp's, which is another client's when it was closed
	until time.Time
}

// deliveryUnit is what a client has WriteTimeout for.
const deliveryUnit = 64 << 10

type deliveryKey struct{}

func (p *polling) deliver(r *response) {
	if len(r.body) <= keepBody || r.ctx.ConnRequestNum() == 0 {
		return // a client that reads nothing of a few of those costs what an idle one does; or nobody is served
	}
	patience := time.Duration(1+len(r.body)/deliveryUnit) * p.s.srv.config.WriteTimeout
	d := &delivery{s: p.s, conn: p.s.srv.beneath(r.ctx.Conn()), until: time.Now().Add(patience)}
	_ = d.conn.SetWriteDeadline(d.until)
	p.s.excuse.begin() // the client has to read it before it can ask for a ping
	r.ctx.SetUserValue(deliveryKey{}, d)
}

// Close ends it. What the client did not take in time is lost, so the session ends with it. A connection that is
// broken tells nothing: HAProxy resets one that has brought it the whole of a large response.
func (d *delivery) Close() error {
	d.s.excuse.end()
	if d.late() {
		d.s.terminate(ReasonStalled, errStalled)
	}
	return d.conn.SetWriteDeadline(time.Time{})
}

// late tells whether the deadline has passed, ours or that of the HTTP server's WriteTimeout, which takes its place: a
// write of nothing fails then, and does nothing otherwise.
func (d *delivery) late() bool {
	switch d.conn.(type) {
	case *net.TCPConn, *tls.Conn:
		_, err := d.conn.Write(nil)
		return errors.Is(err, os.ErrDeadlineExceeded)
	}
	return time.Now().After(d.until)
}
