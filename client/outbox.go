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

	mu             sync.Mutex
	queue          []codec.Packet
	greeting       []codec.Packet // what begins the session; neither bounded nor counted
	heartbeat      *codec.Packet  // goes first and is not bounded
	size           int            // of queue and of what is being written
	pushed         uint64         // messages ever queued
	done           uint64         // of them, those written or lost
	reported       uint64         // of them, those whose loss a flush has reported, if they were lost
	lostSinceClose uint64         // of them, those lost; from close on
	lost           loss           // what no flush has reported

	owner   *session
	claimed bool
	closing bool
	sendErr error           // what a send fails with
	changed chan struct{}   // closed when size, done or sendErr change; nil if nobody waits
	killed  <-chan struct{} // closed when the client is to end at once
}

// loss is a range of messages, numbered like outbox.pushed, some of which were lost with their sessions.
type loss struct {
	from, to uint64
	why      error
}

// push queues a message, and waits for room.
func (o *outbox) push(ctx context.Context, p codec.Packet) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := len(p.Data) + messageCost
	err := o.wait(ctx, func() bool { return o.sendErr != nil || o.size == 0 || o.size+n <= o.max })
	if err == nil {
		err = o.sendErr
	}
	if err != nil {
		return err
	}
	o.queue = append(o.queue, p)
	o.size += n
	o.pushed++
	return nil
}

// flush waits until all that is queued now has been written, and reports what was lost since the last flush.
func (o *outbox) flush(ctx context.Context) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	from, to := o.reported, o.pushed
	err := o.wait(ctx, func() bool { return o.done >= to || o.sendErr != nil && !o.closing })
	switch {
	case err != nil:
		return err
	case o.done < to:
		return o.sendErr
	}
	o.reported = max(o.reported, to)
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

// pushHeartbeat queues a heartbeat of s, in place of one that has not left yet. It is dropped when s is not attached
// any more: it is not for the next session.
func (o *outbox) pushHeartbeat(s *session, p codec.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.owner == s {
		o.heartbeat = &p
	}
}

// attach makes s the session that sends, the greeting before all else.
func (o *outbox) attach(s *session, greeting []codec.Packet) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner, o.greeting, o.heartbeat = s, greeting, nil
	if !o.closing {
		o.sendErr = nil
	}
	o.notify()
}

// detach is for the time without a session. With an error nothing waits for the next one: sends fail with it,
// and what is queued is lost.
func (o *outbox) detach(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.owner, o.greeting, o.heartbeat = nil, nil, nil
	if !o.closing {
		o.sendErr = err
	}
	if err != nil {
		o.dropQueue(err)
	}
	o.notify()
}

// lose notes that the next n messages are not going to be sent. The caller holds o.mu.
func (o *outbox) lose(n int, why error) {
	if n > 0 {
		from := o.done
		if o.lost.to > o.reported {
			from = o.lost.from
		}
		o.lost = loss{from, o.done + uint64(n), why}
		o.done += uint64(n)
		o.lostSinceClose += uint64(n)
	}
}

// dropQueue counts what is queued as lost. The caller holds o.mu.
func (o *outbox) dropQueue(why error) {
	o.size -= cost(o.queue)
	o.lose(len(o.queue), why)
	o.queue = nil
}

// close refuses further messages; what is queued is still sent, and a close packet after it.
func (o *outbox) close(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing, o.sendErr, o.lostSinceClose = true, err, 0
	o.notify()
}

// abort is for a client without further sessions: what is queued is lost, and sends fail with err.
func (o *outbox) abort(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.dropQueue(err)
	o.closing, o.sendErr = false, err
	o.notify()
}

// unsent is how many messages were lost since close.
func (o *outbox) unsent() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lostSinceClose
}
