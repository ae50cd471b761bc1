package engineio

import (
	"net"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/conncheck"
)

// A bucket lets things through at a steady rate, and a second's worth of them at once. It is told the time, of
// Server.now, and belongs to whoever holds the lock around it.
type bucket struct {
	paid time.Duration // when all that was taken is paid for
}

// share is what one of n things a second costs.
func share(n int) time.Duration { return time.Second / time.Duration(n) }

// wait is how long it takes until there is room for one more of that cost, zero when there is.
func (b *bucket) wait(now, cost time.Duration) time.Duration {
	return max(b.after(now, cost)-now-time.Second, 0)
}

// take takes one of that cost, whether there is room for it or not.
func (b *bucket) take(now, cost time.Duration) { b.paid = b.after(now, cost) }

func (b *bucket) after(now, cost time.Duration) time.Duration { return max(b.paid, now) + cost }

// empty reports whether nothing is owed.
func (b *bucket) empty(now time.Duration) bool { return b.paid <= now }

// A pace holds a session back that sends more than Config.MaxMessageRate or MaxByteRate: it is read no
// further until it is within them again. Nothing is lost; what the client goes on sending waits in its
// own socket.
type rateLimit struct {
	perMessage, perByte float64 // nanoseconds

	mu              sync.Mutex
	messages, bytes bucket
	looked          time.Duration // when a held reader last looked for its client, of Server.now
	gone            bool          // it was not there
}

// newRateLimit is nil where the configuration names no rate.
func newRateLimit(c *Config) *rateLimit {
	if c.MaxMessageRate == 0 && c.MaxByteRate == 0 {
		return nil
	}
	p := new(rateLimit)
	if c.MaxMessageRate > 0 {
		p.perMessage = float64(time.Second) / float64(c.MaxMessageRate)
	}
	if c.MaxByteRate > 0 {
		p.perByte = float64(time.Second) / float64(c.MaxByteRate)
	}
	return p
}

// take counts a message that was received, and returns for how long nothing more may be.
func (p *rateLimit) take(now time.Duration, size int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages.take(now, time.Duration(p.perMessage))
	p.bytes.take(now, time.Duration(p.perByte*float64(size)))
	return max(p.messages.wait(now, 0), p.bytes.wait(now, 0))
}

// alive reports whether the client at the other end of conn was there when a held reader last looked.
func (p *rateLimit) alive(now time.Duration, conn net.Conn) bool {
	p.mu.Lock()
	gone, due := p.gone, p.looked == 0 || now-p.looked >= lookTime
	if due {
		p.looked = now
	}
	p.mu.Unlock()
	if due {
		gone = conncheck.Gone(conn)
		p.mu.Lock()
		p.gone = gone
		p.mu.Unlock()
	}
	return !gone
}

// throttle is called by who reads from conn, after a message. In the middle of an upgrade it lets a minute's worth through:
// the client comes to its end when its POST is answered. The debt stays, for the WebSocket to wait for. Meanwhile the
// client's heartbeat may be in what waits, unless the client has gone.
func (s *Session) throttle(size int, conn net.Conn) {
	wait := s.rate.take(s.srv.now(), size)
	if wait == 0 {
		return
	}
	excused := false
	defer func() {
		if excused {
			s.pingGrace.release()
		}
	}()
	for until := s.srv.now() + wait; wait > 0 && (wait > lenience || !s.probed.Load()); wait = until - s.srv.now() {
		switch alive := s.rate.alive(s.srv.now(), conn); {
		case alive && !excused:
			s.pingGrace.hold()
			excused = true
		case !alive && excused:
			s.pingGrace.release()
			excused = false
		}
		timer := time.NewTimer(min(wait, s.checkAfter(wait)))
		select {
		case <-timer.C:
		case <-s.Context().Done():
			timer.Stop()
			return
		}
	}
}

// checkAfter is how long who is held waits before the next look for an upgrade, which only long-polling can have, or for
// the client.
func (s *Session) checkAfter(wait time.Duration) time.Duration {
	if s.Transport() == Polling && wait <= lenience {
		return glance
	}
	return lookTime
}

const (
	glance   = 50 * time.Millisecond
	lookTime = time.Second
	lenience = time.Minute
)
