package engineio

import (
	"sync"
	"time"

	"github.com/fasteio/engineio/codec"
)

// A transport drains an outbox. There are two: polling and webSocket.
type transport interface {
	// wake says that there is something to take. It is called under no lock, must not block,
	// and may come late or for nothing.
	wake()
	// send is wake for a message that goes to many sessions: what can be written without waiting is
	// best written at once, since no other packet will follow that it could be written together with.
	send()
}

const (
	chunkSize  = 64 << 10 // a chunk that has grown to this is followed by another
	chunkStart = 1 << 10  // the first allocation of a chunk
	sharedFrom = 1 << 10  // shared frames from this size on are referred to; below, copying is cheaper than an iovec
)

// The states of an outbox:
//
//	outNew ---open---> outOpen ---close---> outClosing ---take---> outDone
//	                      |                     |                     ^
//	                      +---abort--> outAborted <--abort---+        |
//	                                       |                          |
//	                                       +-----------take-----------+
//
//	            sends are   the queue is   take gives
//	outNew      refused     empty          errUpgraded, as there is no holder
//	outOpen     accepted    any            the queue
//	outClosing  refused     any            the queue, then the close packet
//	outAborted  refused     empty          the close packet
//	outDone     refused     empty          ErrClosed
//
// close and abort lead from outNew to outDone, since the client does not know the session yet, and detach leads there from
// every state. transfer changes the holder in outOpen and outClosing only.
type outboxState uint8

const (
	outNew outboxState = iota
	outOpen
	outClosing
	outAborted
	outDone
)

// An outbox is a session's send queue: where senders and the transport meet. It belongs to the
// session. The transport that holds it may take from it, and an upgrade is one change of holder, so
// that no packet moves, gets lost or is sent twice.
//
// Its lock is a leaf: no I/O, no callback and no other lock happens under it.
type outbox struct {
	// Set by init.
	limit       int // of size
	budget      *budget
	dropsOldest bool // the policy is OverflowDropOldest
	revision    codec.Revision
	deflateFrom int // the size of frames from which a WebSocket with permessage-deflate compresses them

	mu sync.Mutex // guards what follows

	state     outboxState
	holder    transport
	textOnly  bool // the holder's client cannot take binary: it is sent as base64
	deflates  bool // the holder is a WebSocket with permessage-deflate
	abandoned bool // the client has left the holder
	ready     bool // the holder could write at once
	busy      bool // the holder has claimed the queue, and checks it again before it stops

	first, last *chunk
	size        int        // bytes queued, frame headers included
	pong        bool       // a pong of revision 3 is queued
	watermark   *watermark // nil where the application has no hook for it

	pushed  uint64        // packets accepted so far
	taken   uint64        // packets that a transport took off the queue
	sent    uint64        // packets handed to a connection
	ping    uint64        // packets accepted up to the last ping
	dropped uint64        // messages that Overflow has dropped
	lost    bool          // packets were dropped, or a connection failed under them
	changed chan struct{} // closed when sent, busy or state changes; made by the first that waits

	corks         int32       // senders that will call uncork
	corkNumber    uint32      // counts cork calls
	corkExpired   bool        // the present cork has lasted longer than corkTimeout, and holds nothing back any more
	corkTimerRuns bool        // corkTimer is started
	corkTimer     *time.Timer // made when a cork first holds something back
}

// init sets what does not change. s has its configuration and revision by now.
func (o *outbox) init(s *Session, textOnly bool) {
	c := &s.srv.config
	o.limit, o.deflateFrom = c.MaxQueuedBytes, c.CompressionThreshold
	o.budget, o.dropsOldest = &s.srv.queued, c.Overflow == OverflowDropOldest
	o.revision, o.textOnly = s.revision, textOnly
	o.watermark = newWatermark(s)
}

// open makes t the holder, queues the open packet and accepts others after it. It fails when
// the session has ended before. Under a cork it starts no timer: startCorkTimerIfQueued does.
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

// compress sets whether the WebSocket that is going to open the session has permessage-deflate.
func (o *outbox) compress(deflates bool) {
	o.mu.Lock()
	o.deflates = deflates
	o.mu.Unlock()
}

// pending reports whether take would give something. The caller holds mu.
func (o *outbox) pending() bool {
	return o.first != nil || o.state == outClosing || o.state == outAborted
}

// holds reports whether t is the holder.
func (o *outbox) holds(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder == t
}

// transfer makes to the holder instead of from. A session that is closing is transferred too, with its queue and the
// close packet, since its client polls no more. It fails when the queue was dropped, when the close packet was taken,
// when from is not the holder, and when the client has left from.
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

// close refuses further packets; what is queued is still sent. It reports whether the close packet is yet to be sent.
func (o *outbox) close() bool { return o.end(true) }

// abort refuses further packets and drops what is queued. It reports whether the close packet is yet to be sent.
func (o *outbox) abort() bool { return o.end(false) }

func (o *outbox) end(sendQueue bool) bool {
	o.mu.Lock()
	switch {
	case o.state == outNew:
		o.state = outDone // the client does not know the session, and needs no close packet
	case o.state == outDone:
	case sendQueue && o.state == outClosing:
	case sendQueue && o.state == outOpen:
		o.state = outClosing
	default:
		o.state = outAborted
		o.dropQueue()
	}
	due, wake := o.state != outDone, o.holder
	if !sendQueue && o.corkTimerRuns {
		o.corkTimer.Stop()
		o.corkTimerRuns = false
	}
	o.notify()
	o.mu.Unlock()
	if wake != nil && due {
		wake.wake()
	}
	return due
}

// detach waits until t has no claim and leaves the outbox without a holder, in outDone. After it no goroutine touches
// t's connection on behalf of this outbox. It fails when t is not the holder.
func (o *outbox) detach(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.holder != t {
		return false
	}
	o.waitIdleLocked()
	o.holder = nil
	o.state = outDone
	o.dropQueue()
	o.notify()
	return true
}

// abandon records that the client has left t, after which the outbox cannot be transferred. It fails when t is not the
// holder.
func (o *outbox) abandon(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.abandoned = o.holder == t
	return o.abandoned
}

// waitIdle waits until there is no claim.
func (o *outbox) waitIdle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.waitIdleLocked()
}

// waitIdleLocked is waitIdle for a caller that holds mu. It unlocks mu while it waits.
func (o *outbox) waitIdleLocked() {
	for o.busy {
		changed := o.changes()
		o.mu.Unlock()
		<-changed
		o.mu.Lock()
	}
}

// dropQueue drops what is queued. The caller holds mu.
func (o *outbox) dropQueue() {
	if o.first == nil {
		return
	}
	o.free(o.first)
	o.first, o.last, o.size = nil, nil, 0
	o.taken = o.pushed
	o.lost = true
}
