package engineio

import (
	"sync"
	"time"

	"github.com/fasteio/engineio/codec"
)

// A transport drains an outbox. There are two: polling and webSocket.
type transport interface {
	// wake tells that there is something to take. It is called under no lock, must not block,
	// and may come late or for nothing.
	wake()
	// send is wake by a sender who has a message for many: what can be written without waiting is
	// best written on the spot, since nothing will follow that it could be written with.
	send()
}

const (
	chunkSize  = 64 << 10 // a chunk that has grown to this is followed by another
	chunkStart = 1 << 10  // the first allocation of a chunk
	sharedFrom = 1 << 10  // shared frames from this size on are referred to; below, copying is cheaper than an iovec
)

// What the outbox still does.
type outboxState uint8

const (
	outNew outboxState = iota // nothing yet: the open packet is to be the first
	outOpen
	outClosing // no more packets; what is queued leaves, then the last word
	outEnded   // no more packets; the last word is next
	outSilent  // the last word was taken
)

// An outbox is a session's send queue: where senders and the transport meet. It belongs to the
// session; the transport that holds it may drain it, and an upgrade is one change of holder, so
// that no packet moves, gets lost or leaves twice.
//
// Its lock is a leaf: no I/O, no callback and no other lock happens under it.
type outbox struct {
	limit       int // bytes
	total       *budget
	dropsOldest bool // see Overflow
	revision    codec.Revision
	packFrom    int // a WebSocket with permessage-deflate compresses frames from this size on

	mu          sync.Mutex
	corks       int32  // senders that will call uncork
	batch       uint32 // which cork is the last
	holder      transport
	first, last *chunk
	size        int        // bytes queued, frame headers included
	dropped     uint64     // messages, see Overflow
	watermark   *watermark // nil where nobody wants to know of it
	pushed      uint64     // packets accepted so far
	taken       uint64     // packets that a transport took off the queue
	sent        uint64     // packets handed to a connection
	ping        uint64     // packets accepted up to the last ping
	state       outboxState
	textOnly    bool          // the client cannot take binary, on this transport: it travels as base64
	deflates    bool          // the holder is a WebSocket with permessage-deflate
	abandoned   bool          // the client has left the holder
	lost        bool          // packets were dropped, or a connection failed under them
	pong        bool          // one is queued
	ready       bool          // the holder could write at once
	busy        bool          // the holder is draining and will look again before it stops
	corkExpired bool          // the present cork has lasted too long and is void
	armed       bool          // corkTimer runs
	changed     chan struct{} // closed when left, busy or state changes; made by who waits
	corkTimer   *time.Timer   // made when a cork first holds something back
}

// open makes t the holder, queues the session's first packet and lets others follow. It fails when
// the session has ended before. Under a cork it is for begin to see that the packet leaves in time.
func (o *outbox) open(t transport, p codec.Packet) bool {
	o.mu.Lock()
	if o.state != outNew {
		o.mu.Unlock()
		return false
	}
	o.state, o.holder, o.ready = outOpen, t, true
	o.append(p, false)
	o.pushed++
	corked := o.corks > 0
	o.mu.Unlock()
	if !corked {
		t.wake()
	}
	return true
}

// compress says whether the transport that is going to open the session has permessage-deflate.
func (o *outbox) compress(deflates bool) {
	o.mu.Lock()
	o.deflates = deflates
	o.mu.Unlock()
}

func (o *outbox) pending() bool {
	return o.first != nil || o.state == outClosing || o.state == outEnded
}

func (o *outbox) holds(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder == t
}

// transfer makes to the holder in place of from. One that is closing in good order passes, with all that is
// queued and the last word: the client has stopped to poll by then. It fails when the queue was dropped
// or the last word was taken, and when from does not hold it or was deserted.
func (o *outbox) transfer(from, to transport, textOnly, deflates bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != from || o.abandoned || o.state != outOpen && o.state != outClosing {
		return false
	}
	o.holder, o.ready = to, true
	o.deflates = deflates
	if textOnly && !o.textOnly {
		o.encodeBinary()
	}
	o.textOnly = textOnly
	return true
}

// take hands over all that is queued, in order, and reports whether the last word is due after
// it. The caller releases the chunks when they are written and calls wrote with the count.
// It fails with errUpgraded for a transport that is not the holder (any more) and with ErrClosed
// after the last word.
func (o *outbox) take(t transport) (c *chunk, n uint64, last bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.state == outSilent:
		return nil, 0, false, ErrClosed
	case o.holder != t:
		return nil, 0, false, errUpgraded
	}
	o.ready = o.first == nil && o.state == outOpen // it will wait
	c = o.first
	n = o.pushed - o.taken
	o.taken = o.pushed
	o.first, o.last, o.size, o.pong = nil, nil, 0, false
	if o.state != outOpen {
		o.state = outSilent
		last = true
	}
	return c, n, last, nil
}

// wrote says what became of n taken packets: handed to a connection, or lost with it. It reports whether the last ping
// was among those handed over.
func (o *outbox) finished(n uint64, err error) (pinged bool) {
	o.mu.Lock()
	pinged = err == nil && o.sent < o.ping && o.sent+n >= o.ping
	if err != nil {
		o.lost = true
	} else {
		o.sent += n
	}
	assert(o.sent <= o.taken && o.taken <= o.pushed, "more packets have left than were queued")
	o.watermark.measure(o.size, err == nil)
	o.notify()
	o.mu.Unlock()
	return pinged
}

// claim gives t the sole right to take, until a rest. It fails when somebody has it, when t is
// not the holder, or when there is nothing to do.
func (o *outbox) claim(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy || o.holder != t || !o.pending() {
		return false
	}
	o.busy = true
	return true
}

// release ends a claim unless something was queued meanwhile.
func (o *outbox) release() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending() {
		return false
	}
	o.busy, o.ready = false, true
	o.notify()
	return true
}

// pinging reports whether the last ping has not left, and whether a WebSocket is at work on what is before it.
func (o *outbox) pinging() (waits, writing bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waits = o.sent < o.ping
	return waits, waits && o.busy
}

// setNotReady says that t has stopped waiting.
func (o *outbox) setNotReady(t transport) {
	o.mu.Lock()
	if o.holder == t {
		o.ready = false
	}
	o.mu.Unlock()
}

// end refuses further packets. In good order what is queued still leaves; otherwise it is
// dropped. It reports whether the last word is still to be said.
func (o *outbox) end(goodOrder bool) bool {
	o.mu.Lock()
	switch {
	case o.state == outNew:
		o.state = outSilent // nobody has heard of it, and there is nobody to tell
	case o.state == outSilent:
	case goodOrder && o.state == outClosing:
	case goodOrder && o.state == outOpen:
		o.state = outClosing
	default:
		o.state = outEnded
		o.discard()
	}
	due, wake := o.state != outSilent, o.holder
	if !goodOrder && o.armed {
		o.corkTimer.Stop()
		o.armed = false
	}
	o.notify()
	o.mu.Unlock()
	if wake != nil && due {
		wake.wake()
	}
	return due
}

// detach waits until nobody drains for t and takes its hold away. After it no goroutine touches t's
// connection on behalf of this outbox.
func (o *outbox) detach(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != t {
		return false // nobody drains for it
	}
	o.waitIdleLocked()
	o.holder = nil
	o.state = outSilent
	o.discard()
	o.notify()
	return true
}

// abandon says that the client has left t, after which the queue does not pass to another. It fails when t does not
// hold it any more.
func (o *outbox) abandon(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.abandoned = o.holder == t
	return o.abandoned
}

// waitIdle waits until nobody drains.
func (o *outbox) waitIdle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waitIdleLocked()
}

// waitIdleLocked is settle for who holds the lock, which it gives up meanwhile.
func (o *outbox) waitIdleLocked() {
	for o.busy {
		bell := o.changes()
		o.mu.Unlock()
		<-bell
		o.mu.Lock()
	}
}

// discard drops what is queued.
func (o *outbox) discard() {
	if o.first == nil {
		return
	}
	o.free(o.first)
	o.first, o.last, o.size = nil, nil, 0
	o.taken = o.pushed
	o.lost = true
}
