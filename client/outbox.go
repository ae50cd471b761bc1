package client

import (
	"context"
	"sync"

	"github.com/fasteio/engineio/codec"
)

// messageCost is what a message counts for beside its bytes.
const messageCost = 32

// outbox is what waits to be sent. It belongs to the client, not to a session: what a session has not
// taken is there for the next one.
//
// The session that is attached owns the right to take, and at most one goroutine of it has claimed
// that right. What it takes stays within the bound until it is written.
type outbox struct {
	max int

	mu      sync.Mutex
	queue   []codec.Packet
	hello   []codec.Packet // what begins the session; neither bounded nor counted
	urgent  *codec.Packet  // a heartbeat, which goes first and knows no bound
	size    int            // of queue and of what is being written
	pushed  uint64         // messages ever queued
	settled uint64         // of them, those written or lost
	flushed uint64         // of them, those that a flush has told of
	losses  uint64         // of them, those lost; from close on
	lost    loss           // what no flush has told of

	owner   *session
	claimed bool
	closing bool
	refused error           // what a send fails with
	changed chan struct{}   // closed when room, settled or refused change; nil if nobody waits
	killed  <-chan struct{} // closed when the client is to end at once
}

// loss is a row of messages, numbered like outbox.pushed, some of which ended with sessions.
type loss struct {
	from, to uint64
	why      error
}

// batch is what is written at once.
type batch struct {
	urgent  *codec.Packet
	packets []codec.Packet
	hello   bool // they do not come from the queue
	size    int
	last    bool // goodbye comes after it
}

// push queues a message, and waits for room.
func (o *outbox) push(ctx context.Context, p codec.Packet) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p.Data) + messageCost
	err := o.wait(ctx, func() bool { return o.refused != nil || o.size == 0 || o.size+n <= o.max })
	if err == nil {
		err = o.refused
	}
	if err != nil {
		return err
	}
	o.queue = append(o.queue, p)
	o.size += n
	o.pushed++
	return nil
}

// flush waits until all that is queued now has been written, and tells of what was lost since the last flush.
func (o *outbox) flush(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	from, to := o.flushed, o.pushed
	err := o.wait(ctx, func() bool { return o.settled >= to || o.refused != nil && !o.closing })
	switch {
	case err != nil:
		return err
	case o.settled < to:
		return o.refused
	}
	o.flushed = max(o.flushed, to)
	if o.lost.from < to && o.lost.to > from {
		return o.lost.why
	}
	return nil
}

// wait waits until ok, which it calls with o.mu held, as the caller does. A callback that waits may be all that
// keeps a killed client from its end.
func (o *outbox) wait(ctx context.Context, ok func() bool) error {
	for {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		if ok() {
			return nil
		}
		select {
		case <-o.killed:
			return &CloseError{Reason: ReasonClientClose}
		default:
		}
		if o.changed == nil {
			o.changed = make(chan struct{})
		}
		changed := o.changed
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		case <-o.killed:
		}
		o.mu.Lock()
	}
}

// notify wakes everybody who waits. The caller holds o.mu.
func (o *outbox) notify() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}

// pushUrgent replaces a heartbeat of s that has not left yet. It is dropped when s does not send anymore: it is
// not for the next session.
func (o *outbox) pushUrgent(s *session, p codec.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner == s {
		o.urgent = &p
	}
}

// attach makes s the session that sends, hello before all else.
func (o *outbox) attach(s *session, hello []codec.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner, o.hello, o.urgent = s, hello, nil
	if !o.closing {
		o.refused = nil
	}
	o.notify()
}

// detach is for the time without a session. With refused nothing waits for the next one: sends fail with it,
// and what is queued is lost.
func (o *outbox) detach(refused error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner, o.hello, o.urgent = nil, nil, nil
	if !o.closing {
		o.refused = refused
	}
	if refused != nil {
		o.drop(refused)
	}
	o.notify()
}

// claim reports whether the caller has to send for s: there is something, and nobody does it. The claim
// is a task of s until take has nothing more, or settle reports an error.
func (o *outbox) claim(s *session) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner != s || o.claimed || !o.work() || s.ctx.Err() != nil {
		return false
	}
	o.claimed = true
	s.tasks.Add(1)
	return true
}

func (o *outbox) work() bool {
	return len(o.queue) > 0 || len(o.hello) > 0 || o.urgent != nil || o.closing
}

// take removes what fits into max bytes, at least one message, as size counts them. It is the last
// batch if the client is closing and nothing is left. Without anything to send the claim is over, and so it is when
// the session has ended: what is left is for the next one.
func (o *outbox) take(max int, size func(codec.Packet) int) (b batch, ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner == nil || o.owner.ctx.Err() != nil || !o.work() {
		o.claimed = false
		return b, false
	}
	total := goodbyeSize
	if o.urgent != nil {
		b.urgent, o.urgent = o.urgent, nil
		total += size(*b.urgent)
	}
	first := true
	fits := func(p codec.Packet) bool {
		total += size(p)
		fit := total <= max || first
		first = false
		return fit
	}
	if len(o.hello) > 0 {
		b.packets, o.hello = cut(o.hello, fits)
		b.hello = true
	} else {
		b.packets, o.queue = cut(o.queue, fits)
		b.size = cost(b.packets)
	}
	b.last = o.closing && len(o.queue) == 0 && len(o.hello) == 0
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

// settle says what became of a batch. Its bytes make room; with an error they are lost, and the claim is over.
func (o *outbox) settle(b batch, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(b.packets)
	if b.hello {
		n = 0
	}
	clear(b.packets)
	o.size -= b.size
	switch {
	case err != nil:
		o.claimed = false
		o.lose(n, err)
	case b.last:
		o.claimed, o.owner = false, nil // nothing is sent after goodbye
		fallthrough
	default:
		o.settled += uint64(n)
	}
	o.notify()
}

// lose notes that the next n messages are not going to be sent. The caller holds o.mu.
func (o *outbox) lose(n int, why error) {
	if n > 0 {
		from := o.settled
		if o.lost.to > o.flushed {
			from = o.lost.from
		}
		o.lost = loss{from, o.settled + uint64(n), why}
		o.settled += uint64(n)
		o.losses += uint64(n)
	}
}

// drop loses what is queued. The caller holds o.mu.
func (o *outbox) drop(why error) {
	o.size -= cost(o.queue)
	o.lose(len(o.queue), why)
	o.queue = nil
}

// close refuses further messages; what is queued is still sent, and goodbye after it.
func (o *outbox) close(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing, o.refused, o.losses = true, err, 0
	o.notify()
}

// end is for a client without further sessions.
func (o *outbox) end(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.drop(err)
	o.closing, o.refused = false, err
	o.notify()
}

// unsent is how many messages were lost since close.
func (o *outbox) unsent() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.losses
}
