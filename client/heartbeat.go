package client

import (
	"time"

	"github.com/fasteio/engineio/codec"
)

// One timer a session: the server is silent, or revision 3 owes it a ping, or its first one is overdue. What comes from the
// server notes the time and leaves the timer alone; the timer looks when it fires.

func (s *session) startHeartbeat() {
	s.hear()
	now := time.Now()
	s.nextPing = now.Add(s.interval)
	if s.c.o.Revision == V4 {
		s.nextPing = s.overdue()
	}
	ready := make(chan struct{})
	s.beat = time.AfterFunc(s.untilBeat(now), func() {
		<-ready
		s.tick()
	})
	close(ready) // tick resets s.beat, which is set now
}

// silentBy is when the server will have been silent for too long.
func (s *session) silentBy() time.Time {
	return s.made.Add(time.Duration(s.heard.Load())).Add(s.interval + s.timeout)
}

// untilBeat is the time until the next thing to look after.
func (s *session) untilBeat(now time.Time) time.Duration {
	next := s.silentBy()
	if (s.c.o.Revision == V3 || s.unsure() && !s.warned.Load()) && s.nextPing.Before(next) {
		next = s.nextPing
	}
	return max(next.Sub(now), time.Millisecond)
}

func (s *session) tick() {
	if s.stalled.Load() {
		s.hear()
	}
	now := time.Now()
	if !now.Before(s.silentBy()) {
		s.fail(ReasonPingTimeout, errSilent)
		return
	}
	switch {
	case now.Before(s.nextPing):
	case s.c.o.Revision == V3:
		s.nextPing = now.Add(s.interval)
		s.c.out.pushUrgent(s, codec.Packet{Type: codec.Ping})
		s.kick()
	case s.unsure():
		s.warnRevision()
	}
	s.beat.Reset(s.untilBeat(now))
	if s.ctx.Err() != nil {
		s.beat.Stop() // close may have stopped it before
	}
}
