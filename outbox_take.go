package engineio

// A batch is what a transport takes off the queue at once.
type batch struct {
	first   *chunk // the packets; nil for none
	packets uint64 // how many there are
	closes  bool   // the close packet is due after them
}

// take takes the whole queue, in order. The caller owns the chunks; it frees them when they are
// written, and calls finished with the number of packets. take fails with errUpgraded when t is not the
// holder, and with ErrClosed when the close packet was taken before.
func (o *outbox) take(t transport) (b batch, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.state == outDone:
		return batch{}, ErrClosed
	case o.holder != t:
		return batch{}, errUpgraded
	}
	o.ready = o.first == nil && o.state == outOpen // it will wait
	b = batch{first: o.first, packets: o.pushed - o.taken, closes: o.state != outOpen}
	o.taken = o.pushed
	o.first, o.last, o.size, o.pong = nil, nil, 0, false
	if b.closes {
		o.state = outDone
	}
	return b, nil
}

// finished counts n taken packets as sent or, with an error, as lost. It reports whether the last ping
// was among those sent.
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

// claim gives t the sole right to take, until release. It fails when a claim exists, when t is
// not the holder, or when there is nothing to take.
func (o *outbox) claim(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy || o.holder != t || !o.pending() {
		return false
	}
	o.busy = true
	return true
}

// release ends a claim. It fails when something was queued meanwhile, and the claim goes on.
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

// pinging reports whether the last ping still waits to be written, and whether a WebSocket is writing what is before it.
func (o *outbox) pinging() (waits, writing bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	waits = o.sent < o.ping
	return waits, waits && o.busy
}

// setNotReady records that t no longer waits for something to send, so that volatile messages are dropped.
func (o *outbox) setNotReady(t transport) {
	o.mu.Lock()
	if o.holder == t {
		o.ready = false
	}
	o.mu.Unlock()
}
