package engineio

import "context"

// flush waits until every packet queued before the call has been handed to a connection.
func (o *outbox) flush(ctx context.Context) error {
	o.mu.Lock()
	goal, wake := o.pushed, o.holder
	if o.busy || o.first == nil {
		wake = nil
	}
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	for {
		o.mu.Lock()
		switch {
		case o.sent >= goal:
			o.mu.Unlock()
			return nil
		case o.lost:
			o.mu.Unlock()
			return ErrClosed
		}
		changed := o.changes()
		o.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// changes is closed by the next notify. The caller holds mu.
func (o *outbox) changes() <-chan struct{} {
	if o.changed == nil {
		o.changed = make(chan struct{})
	}
	return o.changed
}

// notify wakes all that wait on changes. The caller holds mu.
func (o *outbox) notify() {
	if o.changed != nil {
		close(o.changed)
		o.changed = nil
	}
}
