package engineio

import "time"

// corkTimeout is how long a cork may hold back what a callback has sent.
const corkTimeout = time.Millisecond

// startCorkTimer makes the present cork expire after corkTimeout, so that a callback that sends and then works for long
// does not hold back what it sent. The caller holds mu.
func (o *outbox) startCorkTimer() {
	if o.corkTimerRuns {
		return
	}
	o.corkTimerRuns = true
	if o.corkTimer == nil {
		o.corkTimer = time.AfterFunc(corkTimeout, o.expireCork)
		return
	}
	o.corkTimer.Reset(corkTimeout)
}

// startCorkTimerIfQueued is called before OnConnect: the open packet is queued under the cork by then, and must not
// wait for a slow callback.
func (o *outbox) startCorkTimerIfQueued() {
	o.mu.Lock()
	if o.first != nil {
		o.startCorkTimer()
	}
	o.mu.Unlock()
}

// dropCorkTimer frees the timer of a session that is seldom corked, which has a third of the size of an outbox.
func (o *outbox) dropCorkTimer() {
	o.mu.Lock()
	if !o.corkTimerRuns {
		o.corkTimer = nil
	}
	o.mu.Unlock()
}

// expireCork ends the effect of a cork that has lasted for corkTimeout.
func (o *outbox) expireCork() {
	o.mu.Lock()
	o.corkTimerRuns = false
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

// cork holds packets back until uncork, so that the answers to packets that came in together are sent
// together.
func (o *outbox) cork() {
	o.mu.Lock()
	o.corks++
	o.corkNumber++
	o.corkExpired = false
	o.mu.Unlock()
}

// corkWithoutSends is the number of the present or last cork, and whether the queue is empty.
func (o *outbox) corkWithoutSends() (number uint32, empty bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.corkNumber, o.first == nil
}

// uncork ends a cork. It returns the transport to wake, nil when there is nothing to take.
func (o *outbox) uncork() transport {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.corks--
	assert(o.corks >= 0, "more corks were pulled than there were")
	if o.corks > 0 {
		return nil
	}
	if o.corkTimerRuns {
		o.corkTimer.Stop()
		o.corkTimerRuns = false
	}
	if o.busy || !o.pending() {
		return nil
	}
	return o.holder
}
