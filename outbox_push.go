package engineio

import (
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// queuedBytes is how much waits in the queue, frame headers included.
func (o *outbox) queuedBytes() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.size
}

// push queues one packet; data is copied. The open packet and pings are queued even when the queue is full and do not
// count: there is one ping in PingInterval at most, and without it a client that is slow but alive would be taken for
// dead. One queued pong of revision 3 answers all pings before it.
func (o *outbox) push(p codec.Packet, opts SendOption) error {
	o.mu.Lock()
	err := o.accept(p.Type, o.wireSize(p), opts)
	if p.Type == codec.Pong && err == ErrQueueFull {
		err = nil // at most one is queued, below
	}
	if err != nil || p.Type == codec.Pong && o.pong {
		o.mu.Unlock()
		return err
	}
	o.pong = o.pong || p.Type == codec.Pong
	n := o.append(p, opts&NoCompress != 0)
	if !bounded(p.Type) {
		n = 0
	}
	wake := o.queued(n, 1)
	if p.Type == codec.Ping {
		o.ping = o.pushed
	}
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	return nil
}

// append puts the frame of p into the queue and returns its length. The caller holds mu.
func (o *outbox) append(p codec.Packet, plain bool) int {
	c := o.tail(o.wireSize(p), plain)
	before := len(c.own)
	c.own = appendFrame(c.own, o.revision, o.textOnly, p)
	return len(c.own) - before
}

// pushGroup queues messages as one: they follow each other, and are dropped together.
func (o *outbox) pushGroup(group []Message, opts SendOption) error {
	o.mu.Lock()
	n := 0
	for _, m := range group {
		n += o.wireSize(m.packet())
	}
	if err := o.accept(codec.Message, n, opts); err != nil {
		o.mu.Unlock()
		return err
	}
	c := o.addGroup(len(group), n, opts&NoCompress != 0)
	for _, m := range group {
		c.own = appendFrame(c.own, o.revision, o.textOnly, m.packet())
	}
	wake := o.queued(n, len(group))
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	return nil
}

// pushPrepared queues packets that are encoded already.
func (o *outbox) pushPrepared(p *PreparedMessage) error {
	plain := p.opts&NoCompress != 0
	o.mu.Lock()
	frame, packed := o.encoded(p)
	if err := o.accept(codec.Message, len(frame), p.opts); err != nil {
		o.mu.Unlock()
		return err
	}
	switch {
	case len(frame) >= sharedFrom || packed:
		c := o.add()
		c.shared, c.compressed, c.noCompress, c.group = frame, packed, plain, p.group()
	case p.group() > 0:
		c := o.addGroup(p.group(), len(frame), plain)
		c.own = append(c.own, frame...)
	default:
		c := o.tail(len(frame), plain)
		c.own = append(c.own, frame...)
	}
	wake := o.queued(len(frame), len(p.packets))
	o.mu.Unlock()
	if wake != nil {
		wake.send()
	}
	return nil
}

// encoded is the frame of p as the holder sends it, and whether it is compressed. The caller holds mu. encoded unlocks
// it while it makes a frame, and begins again: an upgrade may have changed meanwhile which frame the holder needs.
func (o *outbox) encoded(p *PreparedMessage) (frame []byte, packed bool) {
	for {
		textOnly := o.textOnly
		frame = p.made(o.revision, textOnly, false)
		packs := frame != nil && o.deflates && p.opts&NoCompress == 0 && longestPayload(frame) >= o.deflateFrom
		if packs {
			frame = p.made(o.revision, textOnly, true)
		}
		if frame != nil {
			return frame, packs
		}
		o.mu.Unlock()
		if packs {
			p.deflated(o.revision, textOnly)
		} else {
			p.frame(o.revision, textOnly)
		}
		o.mu.Lock()
	}
}

func longestPayload(frames []byte) (longest int) {
	for payload := []byte(nil); len(frames) > 0; {
		_, payload, frames = ws.Split(frames)
		longest = max(longest, len(payload))
	}
	return longest
}

// pushPong queues the answer to a WebSocket ping. When the queue is full it does nothing: that client does not read
// what it has been sent already.
func (o *outbox) pushPong(data []byte) {
	o.mu.Lock()
	if o.accept(codec.Pong, ws.HeaderLen(len(data))+len(data), 0) != nil {
		o.mu.Unlock()
		return
	}
	c := o.tail(len(data)+16, o.last != nil && o.last.noCompress) // no new chunk for a pong, or a client could have many made
	before := len(c.own)
	c.own = append(ws.AppendHeader(c.own, ws.Pong, len(data)), data...)
	wake := o.queued(len(c.own)-before, 1) // nil, since the reader has corked, unless that cork has expired
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
}

// wireSize is how many bytes the frame of p will have.
func (o *outbox) wireSize(p codec.Packet) int {
	n := len(p.Data) + 1
	switch {
	case p.Binary && o.textOnly:
		n = base64Len(o.revision, len(p.Data))
	case p.Binary && o.revision == codec.V4:
		n-- // no type byte
	}
	return ws.HeaderLen(n) + n
}

// bounded reports whether packets of a type count against the limit: those of which senders or the
// client can cause any number.
func bounded(t codec.Type) bool { return t == codec.Message || t == codec.Pong }

// accept returns why a packet of n bytes on the wire may not be queued, nil when it may. It drops older messages where
// that is the policy. The caller holds mu.
func (o *outbox) accept(t codec.Type, n int, opts SendOption) error {
	switch {
	case o.state == outNew:
		return ErrNotOpen
	case o.state != outOpen:
		return ErrClosed
	case opts&Volatile != 0 && !o.ready:
		return ErrNotReady
	case !bounded(t) || o.fits(n):
		return nil
	case t == codec.Message && o.dropsOldest:
		o.evictOldest(n)
		return nil
	}
	return ErrQueueFull
}

// fits reports whether n more bytes may be queued, as one message always may in an empty queue. The caller holds mu.
func (o *outbox) fits(n int) bool {
	switch more := o.size + n; {
	case o.size == 0:
		return true
	case more > o.limit:
		return false
	default:
		return more <= alwaysQueueable || !o.budget.exceeded()
	}
}

// tail is the chunk to which n more bytes are to be appended, with room for them. The caller holds mu.
func (o *outbox) tail(n int, plain bool) *chunk {
	c := o.last
	if c == nil || c.shared != nil || c.group > 0 || c.noCompress != plain || len(c.own) > 0 && len(c.own)+n > chunkSize {
		c = o.add()
		c.noCompress = plain
	}
	o.reserve(c, n)
	return c
}

// addGroup adds a chunk for a group of messages with n bytes, to which nothing else is appended. The caller holds mu.
func (o *outbox) addGroup(messages, n int, plain bool) *chunk {
	c := o.add()
	c.group, c.noCompress = messages, plain
	o.reserve(c, n)
	return c
}

// reserve makes room for n more bytes in c, and counts what it allocates.
func (o *outbox) reserve(c *chunk, n int) {
	if need := len(c.own) + n; need > cap(c.own) {
		grown := make([]byte, len(c.own), max(need, 2*cap(c.own), chunkStart))
		copy(grown, c.own)
		o.budget.add(cap(grown) - cap(c.own))
		c.own = grown
	}
}

// add appends an empty chunk to the queue. The caller holds mu.
func (o *outbox) add() *chunk {
	c := chunks.Get().(*chunk)
	o.budget.add(cap(c.own))
	if o.last == nil {
		o.first = c
	} else {
		o.last.next = c
	}
	o.last = c
	return c
}

// free gives back a list of chunks that were queued here, and their share of the budget.
func (o *outbox) free(c *chunk) {
	n := 0
	for c := c; c != nil; c = c.next {
		n += cap(c.own)
	}
	o.budget.add(-n)
	c.release()
}

// queued counts packets, of n bytes together, that were appended. It returns the transport to wake, nil for none. The
// caller holds mu.
func (o *outbox) queued(n, packets int) transport {
	o.pushed += uint64(packets)
	o.size += n
	o.watermark.measure(o.size, false)
	switch {
	case o.busy:
		return nil
	case o.corks > 0 && !o.corkExpired:
		o.startCorkTimer()
		return nil
	}
	return o.holder
}
