package client

import (
	"time"

	"github.com/fasteio/engineio/codec"
)

// A session has one timer. It checks whether the server has been silent for too long, whether the client owes it a ping
// (revision 3), and whether its first ping is overdue (revision 4). What comes from the server only notes the time; the
// timer compares when it fires.

func (s *session) startHeartbeat() {
	s.noteActivity()
	now := time.Now()
	s.nextPing = now.Add(s.interval)
	if s.c.o.Revision == V4 {
		s.nextPing = s.firstPingDue()
	}
	ready := make(chan struct{})
	s.timer = time.AfterFunc(s.untilCheck(now), func() {
		<-ready
		s.checkHeartbeat()
	})
	close(ready) // tick resets s.beat, which is set now
}

// silenceDeadline is when the server will have been silent for too long.
func (s *session) silenceDeadline() time.Time {
	return s.created.Add(time.Duration(s.lastActivity.Load())).Add(s.interval + s.timeout)
}

// untilCheck is the time until something may be due.
func (s *session) untilCheck(now time.Time) time.Duration {
	next := s.silenceDeadline()
	if (s.c.o.Revision == V3 || s.revisionUnknown() && !s.warned.Load()) && s.nextPing.Before(next) {
		next = s.nextPing
	}
	return max(next.Sub(now), time.Millisecond)
}

func (s *session) checkHeartbeat() {
	if s.readPaused.Load() {
		s.noteActivity()
	}
	now := time.Now()
	if !now.Before(s.silenceDeadline()) {
		s.end(ReasonPingTimeout, errSilent)
		return
	}
	switch {
	case now.Before(s.nextPing):
	case s.c.o.Revision == V3:
		s.nextPing = now.Add(s.interval)
		s.c.out.pushHeartbeat(s, codec.Packet{Type: codec.Ping})
		s.startSender()
	case s.revisionUnknown():
		s.warnRevision()
	}
	s.timer.Reset(s.untilCheck(now))
	if s.ctx.Err() != nil {
		s.timer.Stop() // close may have stopped it before
	}
}
