package client

import (
	"context"
	"slices"
	"sync"
)

// Message is a message from the server or to it.
type Message struct {
	// Data of a received message belongs to the caller. A send copies it.
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

	mu            sync.Mutex
	queue         []event
	size          int
	keepsEvents   bool  // Run reads: what is no message is kept without room too
	dropsWhenFull bool  // messages that find no room are dropped
	err           error // what a pop gets when the queue is empty

	ready chan struct{} // one slot: there may be something
	room  chan struct{} // one slot: there may be room
}

func newInbox(max int) inbox {
	return inbox{max: max, ready: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// signal fills the one slot of c.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tryAdd adds a message if there is room for it, and reports whether it need not be tried again.
func (q *inbox) tryAdd(m Message) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	e := event{message: m}
	if q.full(e) {
		return q.dropsWhenFull // and it is dropped
	}
	q.add(e)
	return true
}

// addEvent adds what is no message. It does not wait for room: a handler may be waiting for the next session, which
// comes behind it. Without room, a session that ends before its onConnect was read leaves no event.
func (q *inbox) addEvent(e event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full(e) && (!q.keepsEvents && !q.dropsWhenFull || e.kind == onDisconnect && q.removeUnseenConnect()) {
		return
	}
	q.add(e)
}

// removeUnseenConnect takes back the onConnect of the last session, if nobody has read it and no message follows it.
func (q *inbox) removeUnseenConnect() bool {
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
	signal(q.ready)
}

// pop waits for the next event.
func (q *inbox) pop(ctx context.Context) (event, error) {
	for {
		if ctx.Err() != nil {
			signal(q.ready) // it may have been for another reader
			return event{}, context.Cause(ctx)
		}
		if e, ok, err := q.next(); ok || err != nil {
			return e, err
		}
		select {
		case <-q.ready:
		case <-ctx.Done():
		}
	}
}

func (q *inbox) next() (e event, ok bool, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.queue) == 0 {
		if q.err != nil {
			signal(q.ready) // for the next reader
		}
		return e, false, q.err
	}
	e, q.queue[0] = q.queue[0], event{}
	q.queue = q.queue[1:]
	q.size -= e.cost()
	if len(q.queue) == 0 {
		q.queue = nil
	} else {
		signal(q.ready) // for another reader
	}
	signal(q.room)
	return e, true, nil
}

// keepEvents has events other than messages kept when there is no room: Run reads them.
func (q *inbox) keepEvents() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.keepsEvents = true
}

// dropWhenFull ends all waiting for room: a message without it is dropped from now on.
func (q *inbox) dropWhenFull() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropsWhenFull = true
	signal(q.room)
}

// close gives readers err once the queue is empty.
func (q *inbox) close(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.dropsWhenFull, q.err = true, err
	signal(q.ready)
}
