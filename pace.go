package engineio

import (
	"sync"
	"sync/atomic"
	"time"
)

// A pace holds a session back that sends more than Config.MaxMessageRate or MaxByteRate: it is read no
// further until it is within them again. Nothing is lost; what the client goes on sending waits in its
// own socket.
type pace struct {
	perMessage, perByte float64      // nanoseconds
	holds               atomic.Int32 // readers that are held: a POST and the WebSocket after it may overlap
	since               atomic.Bool  // there was one since the heartbeat looked last

	mu              sync.Mutex
	messages, bytes bucket
}

// newPace is nil where the configuration names no rate.
func newPace(c *Config) *pace {
	if c.MaxMessageRate == 0 && c.MaxByteRate == 0 {
		return nil
	}
	p := new(pace)
	if c.MaxMessageRate > 0 {
		p.perMessage = float64(time.Second) / float64(c.MaxMessageRate)
	}
	if c.MaxByteRate > 0 {
		p.perByte = float64(time.Second) / float64(c.MaxByteRate)
	}
	return p
}

// take counts a message that was received, and returns for how long nothing more may be.
func (p *pace) take(now time.Duration, size int) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.messages.take(now, time.Duration(p.perMessage))
	p.bytes.take(now, time.Duration(p.perByte*float64(size)))
	return max(p.messages.wait(now, 0), p.bytes.wait(now, 0))
}

// hold is called by who reads, after a message. In the middle of an upgrade it lets a minute's worth through: the
// client comes to its end when its POST is answered. The debt stays, for the WebSocket to wait for.
func (s *Session) hold(size int) {
	wait := s.pace.take(s.srv.now(), size)
	if wait == 0 {
		return
	}
	s.pace.since.Store(true)
	s.pace.holds.Add(1)
	defer s.pace.holds.Add(-1)
	for until := s.srv.now() + wait; wait > 0 && (wait > lenience || !s.probed.Load()); wait = until - s.srv.now() {
		timer := time.NewTimer(min(wait, glance))
		select {
		case <-timer.C:
		case <-s.Context().Done():
			timer.Stop()
			return
		}
	}
}

const (
	glance   = 50 * time.Millisecond // how often who is held looks for an upgrade
	lenience = time.Minute
)

// unheld is called when a heartbeat begins: what was held before does not matter to it.
func (s *Session) unheld() {
	if s.pace != nil {
		s.pace.since.Store(false)
	}
}

// held tells whether the session was too fast since the last call: its heartbeat may be in what waits.
func (s *Session) held() bool {
	return s.pace != nil && (s.pace.holds.Load() > 0 || s.pace.since.Swap(false))
}
