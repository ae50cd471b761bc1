package client

import (
	"context"
	"sync"
)

// Message is what a server sent.
type Message struct {
	// Data belongs to the caller.
	Data []byte
	// Binary tells a binary message from a text, which is valid UTF-8.
	Binary bool
}

// event is what Read and Run take from the inbox.
type event struct {
	kind    kind
	message Message
	why     *CloseError // of a disconnect
}

type kind uint8

const (
	onMessage kind = iota
	onConnect
	onUpgrade
	onDisconnect
)

// inbox is what waits to be read. The client's own goroutine fills it.
type inbox struct {
	max int

	mu     sync.Mutex
	queue  []event
	size   int
	heard  bool  // by Run: what is not a message counts too, and waits for room
	sealed bool  // nobody waits for room anymore: messages without it are dropped
	err    error // what a pop gets when the queue is empty

	bell chan struct{} // one slot: there may be something
	room chan struct{} // one slot: there may be room
}

func newInbox(max int) inbox {
	return inbox{max: max, bell: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

func ring(bell chan struct{}) {
	select {
	case bell <- struct{}{}:
	default:
	}
}

// offer adds e if there is room for it.
func (q *inbox) offer(e event) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	cost := len(e.message.Data) + messageCost
	full := q.size > 0 && q.size+cost > q.max
	switch {
	case !full:
	case e.kind == onMessage && q.sealed, e.kind != onMessage && !q.heard && !q.sealed:
		return true // dropped
	case !q.sealed:
		return false
	}
	q.queue = append(q.queue, e)
	q.size += cost
	ring(q.bell)
	return true
}

// pop waits for the next event.
func (q *inbox) pop(ctx context.Context) (event, error) {
	for {
		if ctx.Err() != nil {
			return event{}, context.Cause(ctx)
		}
		if e, ok, err := q.next(); ok || err != nil {
			return e, err
		}
		select {
		case <-q.bell:
		case <-ctx.Done():
		}
	}
}

func (q *inbox) next() (e event, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		if q.err != nil {
			ring(q.bell) // for the next reader
		}
		return e, false, q.err
	}
	e, q.queue[0] = q.queue[0], event{}
	q.queue = q.queue[1:]
	q.size -= len(e.message.Data) + messageCost
	if len(q.queue) == 0 {
		q.queue = nil
	} else {
		ring(q.bell) // for another reader
	}
	ring(q.room)
	return e, true, nil
}

// listen makes events other than messages count.
func (q *inbox) listen() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.heard = true
}

// seal ends all waiting for room.
func (q *inbox) seal() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sealed = true
	ring(q.room)
}

// end is what readers get after the queue.
func (q *inbox) end(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.sealed, q.err = true, err
	ring(q.bell)
}
