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
		s.settle()
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
	if s.over.Load() {
		s.settle()
	}
}

func (s *Session) panicked(p any) {
	s.srv.config.Logger.Error("engineio: panic in a callback",
		"sid", s.id, "panic", p, "stack", string(debug.Stack()))
	s.terminate(ReasonPanic, fmt.Errorf("panic: %v", p))
}

// settle runs OnDisconnect, once, when the session is closed and no other callback runs. Whoever
// closes a session calls it, and so does whoever gives back the turn: one of them finds both true.
func (s *Session) settle() {
	if !s.isClosed() || !s.turn.TryLock() {
		return
	}
	if s.told {
		s.turn.Unlock()
		return
	}
	s.told = true
	if s.connected {
		s.disconnected()
	} else {
		s.turn.Unlock()
	}
	s.srv.busy.done()
}

func (s *Session) opened() {
	defer s.leave()
	if f := s.srv.config.OnConnect; f != nil {
		f(s)
	}
}

// deliver runs OnMessage, here or, if the application wants several at once, beside.
func (s *Session) deliver(m Message) {
	if s.slots != nil {
		s.slots <- struct{}{}
		m.Data = bytes.Clone(m.Data)
		go s.deliverShared(m)
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

// deliverShared shares the turn with other OnMessage of the session, and with nothing else.
func (s *Session) deliverShared(m Message) {
	defer func() { <-s.slots }()
	s.turn.RLock()
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p)
		}
		s.turn.RUnlock()
		s.settle()
	}()
	if f := s.srv.config.OnMessage; f != nil && !s.over.Load() {
		f(s, m)
	}
}

func (s *Session) disconnected() {
	defer s.leave()
	if f := s.srv.config.OnDisconnect; f != nil {
		s.mu.Lock()
		r, err := s.reason, s.err
		s.mu.Unlock()
		f(s, r, err)
	}
}
