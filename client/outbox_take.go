package client

import "github.com/fasteio/engineio/codec"

// batch is what is written at once.
type batch struct {
	heartbeat *codec.Packet
	packets   []codec.Packet
	greeting  bool // they do not come from the queue
	size      int
	closes    bool // a close packet, or a close frame, comes after it
}

// claim reports whether the caller has to send for s, because there is something to send and nobody sends. The claim
// is a task of s until take has nothing more, or finished is given an error.
func (o *outbox) claim(s *session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner != s || o.claimed || !o.hasWork() || s.ctx.Err() != nil {
		return false
	}
	o.claimed = true
	s.tasks.Add(1)
	return true
}

func (o *outbox) hasWork() bool {
	return len(o.queue) > 0 || len(o.greeting) > 0 || o.heartbeat != nil || o.closing
}

// take removes what fits into max bytes, at least one message, as size counts them. It is the last
// batch if the client is closing and nothing is left. Without anything to send the claim is over, and so it is when
// the session has ended: what is left is for the next one.
func (o *outbox) take(max int, size func(codec.Packet) int) (b batch, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner == nil || o.owner.ctx.Err() != nil || !o.hasWork() {
		o.claimed = false
		return b, false
	}
	total := closePacketSize
	if o.heartbeat != nil {
		b.heartbeat, o.heartbeat = o.heartbeat, nil
		total += size(*b.heartbeat)
	}
	first := true
	fits := func(p codec.Packet) bool {
		total += size(p)
		fit := total <= max || first
		first = false
		return fit
	}
	if len(o.greeting) > 0 {
		b.packets, o.greeting = cut(o.greeting, fits)
		b.greeting = true
	} else {
		b.packets, o.queue = cut(o.queue, fits)
		b.size = cost(b.packets)
	}
	b.closes = o.closing && len(o.queue) == 0 && len(o.greeting) == 0
	return b, true
}

// cut divides a queue before the first packet that does not fit.
func cut(queue []codec.Packet, fits func(codec.Packet) bool) (head, tail []codec.Packet) {
	n := 0
	for n < len(queue) && fits(queue[n]) {
		n++
	}
	if n == len(queue) {
		return queue, nil
	}
	return queue[:n:n], queue[n:]
}

// cost is what messages count for.
func cost(queue []codec.Packet) (n int) {
	for _, p := range queue {
		n += len(p.Data) + messageCost
	}
	return n
}

// finished records what became of a batch: it was written, or lost with err. Its bytes make room. The claim is over
// after an error and after the batch that closes.
func (o *outbox) finished(b batch, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(b.packets)
	if b.greeting {
		n = 0
	}
	clear(b.packets)
	o.size -= b.size
	switch {
	case err != nil:
		o.claimed = false
		o.lose(n, err)
	case b.closes:
		o.claimed, o.owner = false, nil // nothing is sent after a close packet
		fallthrough
	default:
		o.done += uint64(n)
	}
	o.notify()
}
