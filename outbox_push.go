package engineio

import (
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// push queues one packet; data is copied. The open packet and pings pass the bound and are not
// counted: there is one ping in PingInterval at most, and a client that is slow but alive must not
// look dead. A pong of revision 3 answers all pings before it.
func (o *outbox) push(p codec.Packet, opts SendOption) error {
	o.mu.Lock()
	err := o.accept(p.Type, o.wireSize(p), opts)
	if p.Type == codec.Pong && err == ErrQueueFull {
		err = nil // there is one at most
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

// append puts the frame of p into the queue and returns its length.
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
		c.shared, c.packed, c.plain, c.group = frame, packed, plain, p.group()
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

// encoded is the frame of p as the holder sends it, and whether it is compressed. The caller holds mu, which encoded
// gives up while it makes a frame: an upgrade may come in between, and ask for another.
func (o *outbox) encoded(p *PreparedMessage) (frame []byte, packed bool) {
	for {
		textOnly := o.textOnly
		frame = p.made(o.revision, textOnly, false)
		packs := frame != nil && o.deflates && p.opts&NoCompress == 0 && longestPayload(frame) >= o.packFrom
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

// pushPong queues the answer to a WebSocket ping, unless the queue is full: then the client has
// more to read than it reads.
func (o *outbox) pushPong(data []byte) {
	o.mu.Lock()
	if o.accept(codec.Pong, ws.HeaderLen(len(data))+len(data), 0) != nil {
		o.mu.Unlock()
		return
	}
	c := o.tail(len(data)+16, o.last != nil && o.last.plain) // in no chunk of its own: a client could make many
	before := len(c.own)
	c.own = append(ws.AppendHeader(c.own, ws.Pong, len(data)), data...)
	wake := o.queued(len(c.own)-before, 1) // nobody, as the reader, which calls this, has corked; but that may be void
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

// bounded reports whether packets of a type count against the limit: those that a sender or the
// client can make more of.
func bounded(t codec.Type) bool { return t == codec.Message || t == codec.Pong }

// accept reports whether a packet of n bytes on the wire may be queued.
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
		o.makeRoom(n)
		return nil
	}
	return ErrQueueFull
}

// fits reports whether n more bytes may be queued. One message always may.
func (o *outbox) fits(n int) bool {
	switch more := o.size + n; {
	case o.size == 0:
		return true
	case more > o.limit:
		return false
	default:
		return more <= freeQueued || !o.total.exceeded()
	}
}

// tail is the chunk for n more bytes of our own, and has room for them: where it grows is where total counts it.
func (o *outbox) tail(n int, plain bool) *chunk {
	c := o.last
	if c == nil || c.shared != nil || c.group > 0 || c.plain != plain || len(c.own) > 0 && len(c.own)+n > chunkSize {
		c = o.add()
		c.plain = plain
	}
	o.reserve(c, n)
	return c
}

// addGroup makes a chunk for a group of messages with n bytes, which nothing else joins.
func (o *outbox) addGroup(messages, n int, plain bool) *chunk {
	c := o.add()
	c.group, c.plain = messages, plain
	o.reserve(c, n)
	return c
}

// reserve makes room for n more bytes in c.
func (o *outbox) reserve(c *chunk, n int) {
	if need := len(c.own) + n; need > cap(c.own) {
		grown := make([]byte, len(c.own), max(need, 2*cap(c.own), chunkStart))
		copy(grown, c.own)
		o.total.add(cap(grown) - cap(c.own))
		c.own = grown
	}
}

func (o *outbox) add() *chunk {
	c := chunks.Get().(*chunk)
	o.total.add(cap(c.own))
	if o.last == nil {
		o.first = c
	} else {
		o.last.next = c
	}
	o.last = c
	return c
}

// free is the end of chunks that were queued here.
func (o *outbox) free(c *chunk) {
	n := 0
	for c := c; c != nil; c = c.next {
		n += cap(c.own)
	}
	o.total.add(-n)
	c.release()
}

// queued counts packets of n bytes together and names the transport to wake, if it is to be woken.
func (o *outbox) queued(n, packets int) transport {
	o.pushed += uint64(packets)
	o.size += n
	o.watermark.measure(o.size, false)
	switch {
	case o.busy:
		return nil
	case o.corks > 0 && !o.corkExpired:
		o.arm()
		return nil
	}
	return o.holder
}
