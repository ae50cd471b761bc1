package engineio

import (
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// countDropped counts messages that were dropped instead of queued.
func (o *outbox) countDropped(messages int) {
	o.mu.Lock()
	o.dropped += uint64(messages)
	o.mu.Unlock()
}

// droppedMessages is how many messages Overflow has dropped.
func (o *outbox) droppedMessages() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.dropped
}

// evictOldest drops the oldest messages until one of n bytes fits, or no message is left. The caller holds mu.
func (o *outbox) evictOldest(n int) {
	var kept *chunk // the last chunk before c
	for c := o.first; c != nil && !o.fits(n); {
		gone, messages := c.evictOldest()
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

// unlink takes c out of the queue and returns the chunk after it. before is the chunk in front of c, nil for none. The
// caller holds mu.
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

// evictOldest drops the first message, group of messages or WebSocket pong of a chunk, and returns its length and how
// many messages it had. The open packet and heartbeats stay: they move up to what follows. Pongs are dropped because a
// client could otherwise keep chunks in the queue by asking for pongs.
func (c *chunk) evictOldest() (gone, messages int) {
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

// isMessage reports whether a frame carries a message, and not the open packet, a heartbeat, or a control frame of
// WebSocket.
func isMessage(op ws.Op, payload []byte) bool {
	switch op {
	case ws.Binary:
		return true
	case ws.Text:
		return payload[0] == 'b' || codec.Type(payload[0]) == codec.Message
	}
	return false
}
