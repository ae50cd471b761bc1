package engineio

import (
	"sync"
	"time"
)

// A bucket lets things through at a steady rate, and a second's worth of them at once. Times are those of
// Server.now. Its owner guards it with a lock.
type bucket struct {
	paid time.Duration // when the cost of all that was taken has passed
}

// share is what one of n things a second costs.
func share(n int) time.Duration { return time.Second / time.Duration(n) }

// wait is how long it takes until there is room for one more of that cost, zero when there is room now.
func (b *bucket) wait(now, cost time.Duration) time.Duration {
	return max(b.after(now, cost)-now-time.Second, 0)
}

// take takes one of that cost, whether there is room for it or not.
func (b *bucket) take(now, cost time.Duration) { b.paid = b.after(now, cost) }

func (b *bucket) after(now, cost time.Duration) time.Duration { return max(b.paid, now) + cost }

// empty reports whether nothing is owed.
func (b *bucket) empty(now time.Duration) bool { return b.paid <= now }

// A rateLimit holds back a session whose client sends more than Config.MaxMessageRate or MaxByteRate: nothing is read from
// it until it is within them again. Nothing is lost: what the client goes on sending waits in its
// own socket.
type rateLimit struct {
	perMessage, perByte float64 // nanoseconds

	mu              sync.Mutex
	messages, bytes bucket
	checkedAt       time.Duration // of Server.now, when it was last checked whether the client is connected
	gone            bool          // it was not
}

// newRateLimit is nil when no rate is configured.
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

// checkAlive reports whether the client is connected, as it was found with alive within aliveCheckEvery.
func (p *rateLimit) checkAlive(now time.Duration, alive func() bool) bool {
	p.mu.Lock()
	gone, due := p.gone, p.checkedAt == 0 || now-p.checkedAt >= aliveCheckEvery
	if due {
		p.checkedAt = now
	}
	p.mu.Unlock()
	if due {
		gone = !alive()
		p.mu.Lock()
		p.gone = gone
		p.mu.Unlock()
	}
	return !gone
}

// throttle is called by the goroutine that reads, after a message of that size. It waits until the session is within its
// rates again. While it waits, the client's half of the heartbeat may be in what is not read, so the heartbeat is held as
// long as the client is connected.
//
// In the middle of an upgrade it does not wait if that would be up to maxUpgradeDelay: the client finishes the upgrade
// when its POST is answered. The messages count all the same, and the WebSocket waits for them.
func (s *Session) throttle(size int, connected func() bool) {
	wait := s.rate.take(s.srv.now(), size)
	if wait == 0 {
		return
	}
	held := false
	defer func() {
		if held {
			s.pingGrace.release()
		}
	}()
	for until := s.srv.now() + wait; wait > 0 && (wait > maxUpgradeDelay || !s.probed.Load()); wait = until - s.srv.now() {
		switch alive := s.rate.checkAlive(s.srv.now(), connected); {
		case alive && !held:
			s.pingGrace.hold()
			held = true
		case !alive && held:
			s.pingGrace.release()
			held = false
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

// checkAfter is how long throttle waits before it checks again whether an upgrade has begun, which is possible on
// long-polling only, and whether the client is connected.
func (s *Session) checkAfter(wait time.Duration) time.Duration {
	if s.Transport() == Polling && wait <= maxUpgradeDelay {
		return upgradeCheckEvery
	}
	return aliveCheckEvery
}

const (
	upgradeCheckEvery = 50 * time.Millisecond
	aliveCheckEvery   = time.Second
	maxUpgradeDelay   = time.Minute
)
