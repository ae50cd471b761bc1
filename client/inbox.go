package client

import (
	"context"
	"slices"
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
	heard  bool  // by Run: what is not a message counts too
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

// offer adds a message if there is room for it.
func (q *inbox) offer(m Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := event{message: m}
	if q.full(e) {
		return q.sealed // and it is dropped
	}
	q.add(e)
	return true
}

// tell adds what is no message. It does not wait for room: a handler may be waiting for the next session, which
// comes behind it. Without room a session that goes as it came is not told of.
func (q *inbox) tell(e event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full(e) && (!q.heard && !q.sealed || e.kind == onDisconnect && q.forget()) {
		return
	}
	q.add(e)
}

// forget takes back that the last session has come, if nobody knows of it and nothing came with it.
func (q *inbox) forget() bool {
	last := len(q.queue) - 1
	for last >= 0 && q.queue[last].kind == onUpgrade {
		last--
	}
	if last < 0 || q.queue[last].kind != onConnect {
		return false
	}
	q.size -= messageCost * (len(q.queue) - last)
	q.queue = slices.Delete(q.queue, last, len(q.queue))
	return true
}

func (e *event) cost() int { return len(e.message.Data) + messageCost }

func (q *inbox) full(e event) bool { return q.size > 0 && q.size+e.cost() > q.max }

func (q *inbox) add(e event) {
	q.queue = append(q.queue, e)
	q.size += e.cost()
	ring(q.bell)
}

// pop waits for the next event.
func (q *inbox) pop(ctx context.Context) (event, error) {
	for {
		if ctx.Err() != nil {
			ring(q.bell) // it may have been for another reader
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
	q.size -= e.cost()
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
