package engineio

import (
	"bytes"
	"fmt"
	"runtime/debug"
)

// enter takes the callbacks' turn. It fails when the session is over.
func (s *Session) enter() bool {
	s.turn.Lock()
	if s.over.Load() {
		s.turn.Unlock()
		return false
	}
	return true
}

// leave gives the turn back. It is deferred around a callback and recovers its panic.
func (s *Session) leave() {
	if p := recover(); p != nil {
		s.panicked(p)
	}
	s.turn.Unlock()
}

// calling tells whether a callback runs that keeps the client from being heard. With ConcurrentHandlers those
// that share the turn do not.
func (s *Session) calling() bool {
	if s.slots != nil {
		if !s.turn.TryRLock() {
			return true
		}
		s.turn.RUnlock()
		return false
	}
	if !s.turn.TryLock() {
		return true
	}
	s.turn.Unlock()
	return false
}

func (s *Session) panicked(p any) {
	s.srv.config.Logger.Error("engineio: panic in a callback",
		"sid", s.id, "panic", p, "stack", string(debug.Stack()))
	err, ok := p.(error)
	if !ok {
		err = fmt.Errorf("%v", p)
	}
	s.terminate(ReasonPanic, fmt.Errorf("panic: %w", err))
}

// settle runs OnDisconnect when no other callback runs any more. terminate starts it, once, in a
// goroutine of its own: its caller may be a callback, or hold a lock that OnDisconnect wants.
func (s *Session) settle() {
	defer s.srv.busy.done()
	defer s.leaveGroups()
	s.turn.Lock()
	defer s.leave()
	if f := s.srv.config.OnDisconnect; f != nil && s.connected {
		s.mu.Lock()
		r, err := s.reason, s.err
		s.mu.Unlock()
		f(s, r, err)
	}
}

func (s *Session) opened() {
	defer s.leave()
	if f := s.srv.config.OnConnect; f != nil {
		s.out.begin()
		f(s)
	}
}

// deliver runs OnMessage, here or, if the application wants several at once, beside.
func (s *Session) deliver(m Message) {
	if s.slots != nil {
		s.slot()
		s.turn.RLock() // here, or a goodbye right behind the message could overtake it
		m.Data = bytes.Clone(m.Data)
		go s.deliverShared(m, !s.over.Load())
		return
	}
	if !s.enter() {
		return
	}
	defer s.leave()
	if f := s.srv.config.OnMessage; f != nil {
		f(s, m)
	}
}

// slot waits until another OnMessage may run. Nothing is read meanwhile.
func (s *Session) slot() {
	select {
	case s.slots <- struct{}{}:
		return
	default:
	}
	s.excuse.begin()
	defer s.excuse.end()
	s.slots <- struct{}{}
}

// enterBeside is enter for what may run beside an OnMessage, if that may.
func (s *Session) enterBeside() bool {
	if s.slots == nil {
		return s.enter()
	}
	s.turn.RLock()
	if s.over.Load() {
		s.turn.RUnlock()
		return false
	}
	return true
}

// leaveBeside is its leave.
func (s *Session) leaveBeside() {
	if p := recover(); p != nil {
		s.panicked(p)
	}
	if s.slots == nil {
		s.turn.Unlock()
	} else {
		s.turn.RUnlock()
	}
}

// deliverShared shares the turn, which deliver has taken, with other OnMessage of the session, and with
// nothing else.
func (s *Session) deliverShared(m Message, open bool) {
	defer func() { <-s.slots }()
	defer s.leaveBeside()
	if f := s.srv.config.OnMessage; f != nil && open {
		f(s, m)
	}
}
