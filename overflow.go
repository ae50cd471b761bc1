package engineio

import (
	"fmt"
)

// Overflow says what becomes of a message for a session whose queue is full: whose client is slow.
type Overflow uint8

const (
	// OverflowReject leaves it to the sender: the send fails with ErrQueueFull, the message is not queued,
	// and the session goes on. Broadcast has no sender to tell and ends the session with
	// ReasonSlowClient: a client that knows it has missed something can connect again.
	OverflowReject Overflow = iota
	// OverflowDropNewest drops the message. The send succeeds, and Session.Dropped counts.
	OverflowDropNewest
	// OverflowDropOldest drops the oldest messages that wait, to make room. The send succeeds, and
	// Session.Dropped counts. What is being written is not dropped. For Flush a dropped message counts
	// as written.
	OverflowDropOldest
	// OverflowClose ends the session with ReasonSlowClient. The send fails with ErrQueueFull.
	OverflowClose
)

func (o Overflow) check() {
	if o > OverflowClose {
		panic(fmt.Sprintf("engineio: Config.Overflow is %d", o))
	}
}

// overflowed does what Config.Overflow says about messages that did not fit into the queue, and returns the error of their
// send. broadcast says that there is no sender to get the error.
func (s *Session) overflowed(messages int, broadcast bool) error {
	if s.srv.queued.exceeded() {
		s.srv.warn(noticeQueues, "engineio: queues are full from 4 KiB on, all together hold Config.MaxQueuedBytesTotal: send less, or raise it if there is memory")
	}
	policy := s.srv.config.Overflow
	if policy == OverflowDropNewest {
		s.out.countDropped(messages)
		return nil
	}
	if policy == OverflowClose || broadcast {
		s.terminate(ReasonSlowClient, ErrQueueFull)
	}
	return ErrQueueFull
}

// Dropped is how many messages OverflowDropNewest and OverflowDropOldest have dropped so far.
func (s *Session) Dropped() uint64 { return s.out.droppedMessages() }
