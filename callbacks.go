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
	onMessage callback = iota // the zero value, so that the most frequent callback need not be set
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

// lockCallbacks locks callbackMu for a callback, which runs alone then. It fails when the session is not open.
func (s *Session) lockCallbacks(which callback) bool {
	s.callbackMu.Lock()
	if s.over.Load() {
		s.callbackMu.Unlock()
		return false
	}
	if which != onMessage {
		s.setCurrentCallback(which)
	}
	s.callbackRuns.Store(true)
	return true
}

// unlockCallbacks unlocks callbackMu. It is deferred around a callback and recovers its panic.
func (s *Session) unlockCallbacks(which callback) {
	if p := recover(); p != nil {
		s.panicked(which, p)
	}
	if which != onMessage {
		s.setCurrentCallback(onMessage)
	}
	s.callbackRuns.Store(false)
	s.callbackMu.Unlock()
}

// setCurrentCallback records which callback runs, for the log. For OnMessage it is not called: that is what stands there
// between the others.
func (s *Session) setCurrentCallback(which callback) {
	s.mu.Lock()
	s.currentCallback = which
	s.mu.Unlock()
}

// runningCallback is the callback that runs, if one runs.
func (s *Session) runningCallback() callback {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.currentCallback
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

// runOnDisconnect runs OnDisconnect when no other callback runs any more. terminate starts it, once, in a goroutine of its
// own: the caller of terminate may be a callback, or hold a lock that OnDisconnect wants.
func (s *Session) runOnDisconnect() {
	defer s.srv.busy.done()
	defer s.leaveGroups()
	defer s.srv.disconnecting.remove(s)
	s.callbackMu.Lock()
	s.setCurrentCallback(onDisconnect)
	defer s.unlockCallbacks(onDisconnect)
	if f := s.srv.config.OnDisconnect; f != nil && s.connected {
		s.mu.Lock()
		why := &CloseError{s.reason, s.err}
		s.mu.Unlock()
		f(s, why)
	}
}

// runOnConnect runs OnConnect. The caller has locked the callbacks.
func (s *Session) runOnConnect() {
	defer s.unlockCallbacks(onConnect)
	if f := s.srv.config.OnConnect; f != nil {
		s.out.startCorkTimerIfQueued()
		f(s)
	}
}

// runOnMessage runs OnMessage: on this goroutine, or, with MaxConcurrentMessages above 1, on one of its own.
func (s *Session) runOnMessage(m Message) {
	if s.slots != nil {
		s.acquireSlot()
		s.callbackMu.RLock() // not in the goroutine, or OnDisconnect could run before the message
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

// rlockCallbacks locks callbackMu shared where OnMessage may run concurrently, and exclusively otherwise. It fails when the
// session is not open.
func (s *Session) rlockCallbacks() bool {
	if s.slots == nil {
		return s.lockCallbacks(onMessage) // the caller sets which callback it is
	}
	s.callbackMu.RLock()
	if s.over.Load() {
		s.callbackMu.RUnlock()
		return false
	}
	return true
}

// runlockCallbacks undoes rlockCallbacks. It is deferred around a callback and recovers its panic.
func (s *Session) runlockCallbacks(which callback) {
	if p := recover(); p != nil {
		s.panicked(which, p)
	}
	if which != onMessage {
		s.setCurrentCallback(onMessage)
	}
	if s.slots != nil {
		s.callbackMu.RUnlock()
		return
	}
	s.callbackRuns.Store(false)
	s.callbackMu.Unlock()
}

// runOnMessageConcurrently runs OnMessage in a goroutine of its own. runOnMessage has taken the slot and the shared lock
// that it gives back.
func (s *Session) runOnMessageConcurrently(m Message, open bool) {
	defer func() { <-s.slots }()
	defer s.runlockCallbacks(onMessage)
	if f := s.srv.config.OnMessage; f != nil && open {
		f(s, m)
	}
}

// callbackWarnAfter is how long a callback may block its session after a heartbeat has found it running, before a warning
// is logged.
const callbackWarnAfter = 3 * time.Second

// warnIfBlocked logs a warning when a callback keeps its session from reading for longer than callbackWarnAfter. Only the
// heartbeat calls it, so messages do not pay for it, and a callback that blocks often, or for long, is found.
func (s *Session) warnIfBlocked() {
	which, number, ok := s.blocked()
	if !ok {
		return
	}
	time.AfterFunc(callbackWarnAfter, func() {
		if now, last, ok := s.blocked(); ok && now == which && last == number {
			s.srv.warn(noticeCallback, fmt.Sprintf("engineio: %v has not returned for %v, and its session reads nothing meanwhile: "+
				"do what takes long in a goroutine (Server.Go), or set Config.MaxConcurrentMessages", which, callbackWarnAfter),
				"sid", s.id, "remote", s.remote)
		}
	})
}

// blocked returns which callback keeps the session from reading, and the number of the cork that it runs under; ok is
// false when there is none. A callback does not count when messages are queued, since it may be waiting in Flush for a
// slow client.
func (s *Session) blocked() (which callback, number uint32, ok bool) {
	if s.slots != nil || !s.callbackRuns.Load() {
		return 0, 0, false
	}
	number, ok = s.out.corkWithoutSends()
	return s.runningCallback(), number, ok
}
