package engineio

import (
	"fmt"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
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
	// Session.Dropped counts. What is being written is not dropped. To Flush a dropped message is
	// one that has left.
	OverflowDropOldest
	// OverflowClose ends the session with ReasonSlowClient. The send fails with ErrQueueFull.
	OverflowClose
)

func (o Overflow) check() {
	if o > OverflowClose {
		panic(fmt.Sprintf("engineio: Config.Overflow is %d", o))
	}
}

// overflowed is what a send makes of messages that found the queue full.
func (s *Session) overflowed(messages int, broadcast bool) error {
	if s.srv.queued.exceeded() {
		s.srv.warn(noticeQueues, "engineio: queues are full from 4 KiB on, all together hold Config.MaxQueuedBytesTotal: send less, or raise it if there is memory")
	}
	policy := s.srv.config.Overflow
	if policy == OverflowDropNewest {
		s.out.miss(messages)
		return nil
	}
	if policy == OverflowClose || broadcast {
		s.terminate(ReasonSlowClient, ErrQueueFull)
	}
	return ErrQueueFull
}

// Dropped is how many messages OverflowDropNewest and OverflowDropOldest have dropped so far.
func (s *Session) Dropped() uint64 {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.dropped
}

// miss counts messages that were not queued.
func (o *outbox) miss(messages int) {
	o.mu.Lock()
	o.dropped += uint64(messages)
	o.mu.Unlock()
}

// makeRoom drops the oldest messages until one of n bytes fits, or no message is left.
func (o *outbox) makeRoom(n int) {
	var kept *chunk // the last chunk before c
	for c := o.first; c != nil && !o.fits(n); {
		gone, messages := c.drop()
		o.size -= gone
		o.dropped += uint64(messages)
		switch {
		case len(c.frames()) == 0:
			c = o.unlink(kept, c)
		case gone == 0: // there is nothing more to drop in it
			kept, c = c, c.next
		}
	}
}

// unlink takes c out of the queue, where it follows before, and returns the next.
func (o *outbox) unlink(before, c *chunk) *chunk {
	next := c.next
	if before == nil {
		o.first = next
	} else {
		before.next = next
	}
	if o.last == c {
		o.last = before
	}
	c.next = nil
	o.free(c)
	return next
}

// drop drops the first message, group of messages or WebSocket pong of a chunk, and returns its length. Packets of the session's own stay:
// they move up to what follows. Clients ask for pongs, and would keep chunks in the queue by them.
func (c *chunk) drop() (gone, messages int) {
	if c.shared != nil || c.group > 0 { // a message or a group by itself
		gone, messages = len(c.frames()), max(c.group, 1)
		c.shared, c.own, c.start = nil, c.own[:0], 0
		return gone, messages
	}
	frames := c.own[c.start:]
	for at := 0; at < len(frames); {
		op, payload, rest := ws.Split(frames[at:])
		end := len(frames) - len(rest)
		if isMessage(op, payload) {
			messages = 1
		}
		if messages > 0 || op == ws.Pong {
			copy(frames[end-at:end], frames[:at])
			c.start += end - at
			return end - at, messages
		}
		at = end
	}
	return 0, 0
}

// isMessage tells the frames of messages from those of the open packet, of heartbeats, and of WebSocket's own.
func isMessage(op ws.Op, payload []byte) bool {
	switch op {
	case ws.Binary:
		return true
	case ws.Text:
		return payload[0] == 'b' || codec.Type(payload[0]) == codec.Message
	}
	return false
}
