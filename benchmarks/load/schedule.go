package main

import (
	"sync/atomic"
	"time"
)

// schedule says when each message of an open loop is due: at a steady rate, one client after the
// other. Delays are measured from then, so that a server that stalls is charged for all the
// messages that had to wait and not only for the one it stalled on.
type schedule struct {
	start   atomic.Int64 // when the first message is due
	gap     float64      // between messages, in nanoseconds
	clients int
}

func newSchedule(rate float64, clients int) *schedule {
	return &schedule{gap: float64(time.Second) / rate, clients: clients}
}

// at is when message k of all is due.
func (s *schedule) at(k int64) int64 { return s.start.Load() + int64(float64(k)*s.gap) }

// due is when message seq of the client in that place is.
func (s *schedule) due(place int, seq int64) int64 {
	return s.at(seq*int64(s.clients) + int64(place))
}

// whose is message k of all: the client's place and the client's own number for it.
func (s *schedule) whose(k int64) (place int, seq int64) {
	return int(k % int64(s.clients)), k / int64(s.clients)
}
