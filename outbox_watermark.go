package engineio

// A watermark runs OnHighWater when a session's queue passes Config.HighWaterBytes, and OnLowWater when it has gone
// down to Config.LowWaterBytes after that. It belongs to the outbox, whose lock guards it.
type watermark struct {
	high, low int
	run       func() // runs the hooks, in a goroutine of its own

	started  bool // OnConnect has run
	above    bool // the queue has passed high, and has not gone down to low since
	reported bool // the value of above that the hooks have reported
	running  bool // run is under way
}

// newWatermark is nil when the application has neither hook.
func newWatermark(s *Session) *watermark {
	c := &s.srv.config
	if c.OnHighWater == nil && c.OnLowWater == nil {
		return nil
	}
	return &watermark{high: c.HighWaterBytes, low: c.LowWaterBytes, run: s.runWatermarks}
}

// measure is called when the size of the queue has changed. written says that a transport has written all that it
// took.
func (m *watermark) measure(size int, written bool) {
	switch {
	case m == nil:
		return
	case size > m.high:
		m.above = true
	case size <= m.low && written:
		m.above = false
	}
	if m.started && m.above != m.reported && !m.running {
		m.running = true
		go m.run()
	}
}

// startWatermark allows the hooks to run. It is called when OnConnect has returned.
func (o *outbox) startWatermark() {
	if o.watermark == nil {
		return
	}
	o.mu.Lock()
	o.watermark.started = true
	o.watermark.measure(o.size, false)
	o.mu.Unlock()
}

// takeCrossing returns the crossing that the hooks have not reported, if there is any, and counts it as reported.
func (o *outbox) takeCrossing() (above, any bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	m := o.watermark
	m.running = m.above != m.reported
	m.reported = m.above
	return m.above, m.running
}

// runWatermarks runs the hooks until no crossing is left. They do not overlap other callbacks, but for OnMessage where
// several of those run at once: to wait for all of them would keep the next one from starting.
func (s *Session) runWatermarks() {
	for s.rlockCallbacks() {
		above, any := s.out.takeCrossing()
		s.runWatermark(above, any)
		if !any {
			return
		}
	}
}

// runWatermark runs the hook for a crossing, if there is any, and unlocks the callbacks.
func (s *Session) runWatermark(above, any bool) {
	hook, which := s.srv.config.OnLowWater, onLowWater
	if above {
		hook, which = s.srv.config.OnHighWater, onHighWater
	}
	defer s.runlockCallbacks(which)
	s.setCurrentCallback(which)
	if any && hook != nil {
		hook(s)
	}
}
