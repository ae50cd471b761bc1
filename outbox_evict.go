package engineio

import (
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

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
