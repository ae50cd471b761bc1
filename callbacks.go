package engineio

import (
	"bytes"
	"fmt"
	"runtime/debug"
	"time"
)

// A callback is one of those that a session runs, by its name in Config.
type callback uint8

const (
	onMessage callback = iota // the zero value, so that the many need not be noted
	onConnect
	onUpgrade
	onHighWater
	onLowWater
	onHeaders
	onDisconnect
)

func (c callback) String() string {
	return [...]string{"OnMessage", "OnConnect", "OnUpgrade", "OnHighWater", "OnLowWater", "OnHeaders", "OnDisconnect"}[c]
}

// enter takes the callbacks' turn, for which. It fails when the session is over.
func (s *Session) lockCallbacks(which callback) bool {
	s.callbackMu.Lock()
	if s.over.Load() {
		s.callbackMu.Unlock()
		return false
	}
	if which != onMessage {
		s.note(which)
	}
	s.callbackRuns.Store(true)
	return true
}

// leave gives the turn back. It is deferred around a callback and recovers its panic.
func (s *Session) unlockCallbacks(which callback) {
	if p := recover(); p != nil {
		s.panicked(which, p)
	}
	if which != onMessage {
		s.note(onMessage)
	}
	s.callbackRuns.Store(false)
	s.callbackMu.Unlock()
}

// note says which callback has the turn. OnMessage is what it is otherwise, and never noted.
func (s *Session) note(which callback) {
	s.mu.Lock()
	s.doing = which
	s.mu.Unlock()
}

// has is the callback that has the turn, if one has it.
func (s *Session) has() callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.doing
}

func (s *Session) panicked(which callback, p any) {
	s.srv.config.Logger.Error("engineio: panic in "+which.String(),
		"sid", s.id, "panic", p, "stack", string(debug.Stack()))
	err, ok := p.(error)
	if !ok {
		err = fmt.Errorf("%v", p)
	}
	s.terminate(ReasonPanic, fmt.Errorf("panic in %v: %w", which, err))
}

// settle runs OnDisconnect when no other callback runs any more. terminate starts it, once and as a latecomer, in a
// goroutine of its own: its caller may be a callback, or hold a lock that OnDisconnect wants.
func (s *Session) runOnDisconnect() {
	defer s.srv.busy.done()
	defer s.leaveGroups()
	defer s.srv.late.remove(s)
	s.callbackMu.Lock()
	s.note(onDisconnect)
	defer s.unlockCallbacks(onDisconnect)
	if f := s.srv.config.OnDisconnect; f != nil && s.connected {
		s.mu.Lock()
		why := &CloseError{s.reason, s.err}
		s.mu.Unlock()
		f(s, why)
	}
}

func (s *Session) runOnConnect() {
	defer s.unlockCallbacks(onConnect)
	if f := s.srv.config.OnConnect; f != nil {
		s.out.begin()
		f(s)
	}
}

// runOnMessage runs OnMessage, here or, if the application wants several at once, beside.
func (s *Session) runOnMessage(m Message) {
	if s.slots != nil {
		s.acquireSlot()
		s.callbackMu.RLock() // here, or a goodbye right behind the message could overtake it
		m.Data = bytes.Clone(m.Data)
		go s.runOnMessageConcurrently(m, !s.over.Load())
		return
	}
	if !s.lockCallbacks(onMessage) {
		return
	}
	defer s.unlockCallbacks(onMessage)
	if f := s.srv.config.OnMessage; f != nil {
		f(s, m)
	}
}

// acquireSlot waits until another OnMessage may run. Nothing is read meanwhile.
func (s *Session) acquireSlot() {
	select {
	case s.slots <- struct{}{}:
		return
	default:
	}
	s.pingGrace.hold()
	defer s.pingGrace.release()
	s.slots <- struct{}{}
}

// rlockCallbacks is enter for what may run beside an OnMessage, if that may.
func (s *Session) rlockCallbacks() bool {
	if s.slots == nil {
		return s.lockCallbacks(onMessage) // which it is, passed knows
	}
	s.callbackMu.RLock()
	if s.over.Load() {
		s.callbackMu.RUnlock()
		return false
	}
	return true
}

// runlockCallbacks is its leave.
func (s *Session) runlockCallbacks(which callback) {
	if p := recover(); p != nil {
		s.panicked(which, p)
	}
	if which != onMessage {
		s.note(onMessage)
	}
	if s.slots != nil {
		s.callbackMu.RUnlock()
		return
	}
	s.callbackRuns.Store(false)
	s.callbackMu.Unlock()
}

// runOnMessageConcurrently shares the turn, which deliver has taken, with other OnMessage of the session, and with
// nothing else.
func (s *Session) runOnMessageConcurrently(m Message, open bool) {
	defer func() { <-s.slots }()
	defer s.runlockCallbacks(onMessage)
	if f := s.srv.config.OnMessage; f != nil && open {
		f(s, m)
	}
}

// slowTime is how long a callback may run, while a heartbeat looks, before the log is told.
const slowTime = 3 * time.Second

// suspect looks whether a callback keeps its session from reading for longer than slowTime. Only the heartbeat calls
// it, so it costs messages nothing; who blocks often, or for long, is found.
func (s *Session) suspect() {
	which, batch, ok := s.blocked()
	if !ok {
		return
	}
	time.AfterFunc(slowTime, func() {
		if now, last, ok := s.blocked(); ok && now == which && last == batch {
			s.srv.warn(noticeCallback, fmt.Sprintf("engineio: %v has not returned for %v, and its session reads nothing meanwhile: "+
				"do what takes long in a goroutine (Server.Go), or set Config.MaxConcurrentMessages", which, slowTime),
				"sid", s.id, "remote", s.remote)
		}
	})
}

// blocked tells which callback runs, and in which batch of packets. One that may be waiting for a slow client, by
// Flush, is not meant.
func (s *Session) blocked() (which callback, batch uint32, ok bool) {
	if s.slots != nil || !s.callbackRuns.Load() {
		return 0, 0, false
	}
	s.out.mu.Lock()
	batch, ok = s.out.batch, s.out.first == nil
	s.out.mu.Unlock()
	return s.has(), batch, ok
}
