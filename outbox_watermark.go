package engineio

// A watermark tells the application when a session's queue passes Config.HighWaterBytes, and when it has gone down to
// Config.LowWaterBytes after that. It belongs to the outbox, whose lock guards it.
type watermark struct {
	high, low int
	tell      func() // runs the hooks, in a goroutine of its own

	live    bool // OnConnect has run
	above   bool // the queue was above high last, not at low
	told    bool // what the application knows of that
	telling bool // tell runs
}

// newWatermark is nil where nobody wants to know.
func newWatermark(s *Session) *watermark {
	c := &s.srv.config
	if c.OnHighWater == nil && c.OnLowWater == nil {
		return nil
	}
	return &watermark{high: c.HighWaterBytes, low: c.LowWaterBytes, tell: s.tellWatermark}
}

// measure looks at a queue whose size has changed. written says that a transport has come to the end of what it
// took.
func (b *watermark) measure(size int, written bool) {
	switch {
	case b == nil:
		return
	case size > b.high:
		b.above = true
	case size <= b.low && written:
		b.above = false
	}
	if b.live && b.above != b.told && !b.telling {
		b.telling = true
		go b.tell()
	}
}

// watchWatermark is when the application may be told.
func (o *outbox) watchWatermark() {
	if o.watermark == nil {
		return
	}
	o.mu.Lock()
	o.watermark.live = true
	o.watermark.measure(o.size, false)
	o.mu.Unlock()
}

// takeCrossing tells what the application does not know, and takes it to be told.
func (o *outbox) takeCrossing() (above, any bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.watermark
	b.telling = b.above != b.told
	b.told = b.above
	return b.above, b.telling
}

// tellWatermark runs the hooks until there is no news: in turn with the other callbacks, but beside OnMessage where
// several run at once. To wait for all of them would hold up the next.
func (s *Session) tellWatermark() {
	for s.rlockCallbacks() {
		above, any := s.out.takeCrossing()
		s.runWatermark(above, any)
		if !any {
			return
		}
	}
}

// runWatermark runs a hook and gives back the turn.
func (s *Session) runWatermark(above, any bool) {
	hook, which := s.srv.config.OnLowWater, onLowWater
	if above {
		hook, which = s.srv.config.OnHighWater, onHighWater
	}
	defer s.runlockCallbacks(which)
	s.note(which)
	if any && hook != nil {
		hook(s)
	}
}
