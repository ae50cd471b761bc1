package engineio

import (
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/fasteio/engineio/codec"
)

// A heartbeat is a session's one timer, made with the session and armed to end one that never opens. It
// belongs to the session and not to a transport, so an upgrade does not disturb it. Guarded by Session.mu.
type heartbeat struct {
	timer *time.Timer
	due   time.Duration // of Server.now, when it fires; if it fires earlier, it was restarted at that moment
	phase beatPhase
}

// What the heartbeat waits for.
type beatPhase uint8

const (
	beatTimeout  beatPhase = iota // revision 4: the pong; revision 3: the client's next ping
	beatInterval                  // revision 4: the time for a ping
	beatClosing                   // the queue to be sent after Close
	beatLinger                    // the last GET of a closed polling session
)

// startBeat starts the heartbeat of a session that has just opened.
func (s *Session) startBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state != stateOpen:
	case s.revision == V3:
		s.startTimer(beatTimeout, s.pingInterval+s.pingTimeout)
	default:
		s.startTimer(beatInterval, s.pingInterval-rand.N(s.pingInterval/5+1))
	}
}

// startTimer starts the next wait. The caller holds s.mu.
func (s *Session) startTimer(phase beatPhase, d time.Duration) {
	s.beat.phase, s.beat.due = phase, s.srv.now()+d
	s.beat.timer.Reset(d)
}

// tick is called when the timer fires.
func (s *Session) tick() {
	s.mu.Lock()
	phase := s.beat.phase
	if s.srv.now() < s.beat.due || s.state == stateClosed && phase != beatLinger {
		s.mu.Unlock()
		return
	}
	if phase == beatInterval {
		s.startTimer(beatTimeout, s.pingTimeout)
	}
	s.mu.Unlock()

	switch phase {
	case beatInterval:
		s.warnIfBlocked()
		s.pingGrace.reset()
		s.ping()
	case beatTimeout:
		s.warnIfBlocked()
		if !s.extendPingTimeout() {
			s.terminate(ReasonPingTimeout, nil)
		}
	case beatClosing:
		s.completeClose()
	case beatLinger:
		s.srv.forget(s)
	}
}

// ping queues a ping of revision 4. An error means that the session has ended, and needs no handling.
func (s *Session) ping() { _ = s.out.push(codec.Packet{Type: codec.Ping}, 0) }

// extendPingTimeout gives a client that has not answered in time PingTimeout once more, and reports whether it did. It does so
// when the silence may not be the client's fault: when the ping is not written yet and waits behind what a slow client
// still takes, which WriteTimeout bounds; and when the answer may be in what the server has not read yet, as while a
// callback runs.
//
// A client of revision 4 expects pings in time, so it gets another, and writing that also shows whether it has gone.
func (s *Session) extendPingTimeout() bool {
	waits, writing := s.out.pinging()
	if s.callbackRuns.Load() || writing || s.poll.delivering() {
		s.pingGrace.mark()
	} else if !s.pingGrace.consume() {
		return s.timerRestarted()
	}
	s.restartPingTimeout()
	if s.revision == V4 && !waits {
		s.ping()
	}
	return true
}

// timerRestarted reports whether the timer has been restarted since it fired.
func (s *Session) timerRestarted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srv.now() < s.beat.due
}

// restartPingTimeout starts PingTimeout again if the client has not answered yet.
func (s *Session) restartPingTimeout() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.beat.phase == beatTimeout {
		s.startTimer(beatTimeout, s.pingTimeout)
	}
}

// finishedWriting counts n packets taken from the queue as sent or, with an error, as lost. When the ping was among those
// sent, PingTimeout begins.
func (s *Session) finishedWriting(n uint64, err error) {
	s.pingGrace.hold() // or a tick between the next two calls would end a session whose ping was sent just now
	if s.out.finished(n, err) {
		s.restartPingTimeout()
	}
	s.pingGrace.drop()
}

// heartbeat acts on the client's half of the heartbeat: the pong of revision 4, or the ping of revision 3, which is
// answered with a pong.
func (s *Session) heartbeat(t codec.Type) {
	wait, phase := s.pingInterval, beatInterval
	expected := codec.Pong
	if s.revision == V3 {
		wait, phase = s.pingInterval+s.pingTimeout, beatTimeout
		expected = codec.Ping
	}
	if t != expected {
		s.terminate(ReasonTransportError, errPingDirection)
		return
	}
	s.mu.Lock()
	if s.state == stateOpen {
		s.startTimer(phase, wait)
	}
	s.mu.Unlock()
	s.pingGrace.reset()
	if t == codec.Ping {
		_ = s.out.push(codec.Packet{Type: codec.Pong}, 0)
	}
}

// A pingGrace records that something on the server's side kept a client from being heard, so that its heartbeat gives it
// PingTimeout once more: its answer was not read, or it had to wait before it could send one.
type pingGrace struct {
	state atomic.Uint32 // twice the number of holds, plus one if there was a mark since the last consume
}

// hold begins something that keeps the client from being heard.

func (e *pingGrace) hold() { e.state.Add(2) }

// release ends a hold, and marks it: the heartbeat still counts it.
func (e *pingGrace) release() {
	e.mark()
	e.drop()
}

// drop ends a hold that is not to count.
func (e *pingGrace) drop() {
	left := e.state.Add(^uint32(1)) // 2 less
	assert(int32(left) >= 0, "more holds of the heartbeat ended than began")
}

// mark records something that has just kept the client from being heard.
func (e *pingGrace) mark() { e.state.Or(1) }

// consume reports whether there is a hold, or was a mark since the last call.
func (e *pingGrace) consume() bool { return e.state.And(^uint32(1)) != 0 }

// reset forgets the marks. It is called when a ping is sent or answered: what was before does not excuse the next.
func (e *pingGrace) reset() { e.consume() }
