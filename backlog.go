package engineio

// A backlog tells the application when a session's queue passes Config.HighWater, and when it has gone down to
// Config.LowWater after that. It belongs to the outbox, whose lock guards it.
type backlog struct {
	high, low int
	tell      func() // runs the hooks, in a goroutine of its own

	live    bool // OnConnect has run
	above   bool // the queue was above high last, not at low
	told    bool // what the application knows of that
	telling bool // tell runs
}

// newBacklog is nil where nobody wants to know.
func newBacklog(s *Session) *backlog {
	c := &s.srv.config
	if c.OnHighWater == nil && c.OnLowWater == nil {
		return nil
	}
	return &backlog{high: c.HighWater, low: c.LowWater, tell: s.tellBacklog}
}

// measure looks at a queue whose size has changed. written says that a transport has come to the end of what it
// took.
func (b *backlog) measure(size int, written bool) {
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

// watch is when the application may be told.
func (o *outbox) watch() {
	if o.backlog == nil {
		return
	}
	o.mu.Lock()
	o.backlog.live = true
	o.backlog.measure(o.size, false)
	o.mu.Unlock()
}

// news tells what the application does not know, and takes it to be told.
func (o *outbox) news() (above, any bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := o.backlog
	b.telling = b.above != b.told
	b.told = b.above
	return b.above, b.telling
}

// tellBacklog runs the hooks until there is no news: in turn with the other callbacks, but beside OnMessage where
// several run at once. To wait for all of them would hold up the next.
func (s *Session) tellBacklog() {
	for s.enterBeside() {
		above, any := s.out.news()
		s.passed(above, any)
		if !any {
			return
		}
	}
}

// passed runs a hook and gives back the turn.
func (s *Session) passed(above, any bool) {
	hook, which := s.srv.config.OnLowWater, onLowWater
	if above {
		hook, which = s.srv.config.OnHighWater, onHighWater
	}
	defer s.leaveBeside(which)
	s.note(which)
	if any && hook != nil {
		hook(s)
	}
}
