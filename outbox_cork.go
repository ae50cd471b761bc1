package engineio

import "time"

// corkTimeout is how long what a callback sent may wait for the callback to end.
const corkTimeout = time.Millisecond

// arm sees to it that a callback that sends and then takes its time does not hold back what it
// sent for longer than corkTimeout.
func (o *outbox) arm() {
	if o.armed {
		return
	}
	o.armed = true
	if o.corkTimer == nil {
		o.corkTimer = time.AfterFunc(corkTimeout, o.expireCork)
		return
	}
	o.corkTimer.Reset(corkTimeout)
}

// begin is for who has corked and queued before the callback that is next.
func (o *outbox) begin() {
	o.mu.Lock()
	if o.first != nil {
		o.arm()
	}
	o.mu.Unlock()
}

// relax lets go of the timer of a session that is seldom corked: it weighs a third of an outbox.
func (o *outbox) relax() {
	o.mu.Lock()
	if !o.armed {
		o.corkTimer = nil
	}
	o.mu.Unlock()
}

func (o *outbox) expireCork() {
	o.mu.Lock()
	o.armed = false
	o.corkExpired = o.corks > 0
	wake := o.holder
	if o.busy || o.first == nil {
		wake = nil
	}
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
}

// cork holds sends back until uncork, so that the answers to a batch of incoming packets leave
// together.
func (o *outbox) cork() {
	o.mu.Lock()
	o.corks++
	o.batch++
	o.corkExpired = false
	o.mu.Unlock()
}

// uncork names the transport to wake, if there is something to take.
func (o *outbox) uncork() transport {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.corks--
	assert(o.corks >= 0, "more corks were pulled than there were")
	if o.corks > 0 {
		return nil
	}
	if o.armed {
		o.corkTimer.Stop()
		o.armed = false
	}
	if o.busy || !o.pending() {
		return nil
	}
	return o.holder
}
