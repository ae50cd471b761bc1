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
	due   time.Duration // of Server.now, when it goes off; what fires before lost the race with a re-arm
	phase beatPhase
}

// What the heartbeat waits for.
type beatPhase uint8

const (
	beatTimeout  beatPhase = iota // revision 4: the pong; revision 3: the client's next ping
	beatInterval                  // revision 4: the time for a ping
	beatClosing                   // the queue to leave after Close
	beatLinger                    // the last GET of a closed polling session
)

// startBeat begins with the wait that an open session has.
func (s *Session) startBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.state != stateOpen:
	case s.revision == V3:
		s.arm(beatTimeout, s.pingInterval+s.pingTimeout)
	default:
		s.arm(beatInterval, s.pingInterval-rand.N(s.pingInterval/5+1))
	}
}

// arm starts the next wait. The caller holds s.mu.
func (s *Session) arm(phase beatPhase, d time.Duration) {
	s.beat.phase, s.beat.due = phase, s.srv.now()+d
	s.beat.timer.Reset(d)
}

// tick is the timer going off.
func (s *Session) tick() {
	s.mu.Lock()
	phase := s.beat.phase
	if s.srv.now() < s.beat.due || s.state == stateClosed && phase != beatLinger {
		s.mu.Unlock()
		return
	}
	if phase == beatInterval {
		s.arm(beatTimeout, s.pingTimeout)
	}
	s.mu.Unlock()

	switch phase {
	case beatInterval:
		s.suspect()
		s.pingGrace.reset()
		s.ping()
	case beatTimeout:
		s.suspect()
		if !s.again() {
			s.terminate(ReasonPingTimeout, nil)
		}
	case beatClosing:
		s.terminate(0, nil) // close has named the reason
	case beatLinger:
		s.srv.forget(s)
	}
}

// ping asks the client of revision 4 for a sign of life. It fails when the session ends, which is fine.
func (s *Session) ping() { _ = s.out.push(codec.Packet{Type: codec.Ping}, 0) }

// again gives the client PingTimeout once more when it cannot be blamed: when the ping has not left yet and
// waits behind what a slow client still takes, which WriteTimeout bounds, or when the answer may wait
// behind what we do not read for now, as while a callback runs. The client goes by our pings, so it gets
// another; writing that tells us too if it has gone.
func (s *Session) again() bool {
	waits, writing := s.out.pinging()
	if s.callbackRuns.Load() || writing || s.poll.delivers() {
		s.pingGrace.mark()
	} else if !s.pingGrace.consume() {
		return s.rearmed()
	}
	s.renew()
	if s.revision == V4 && !waits {
		s.ping()
	}
	return true
}

// rearmed reports whether the timer has been set anew since it went off.
func (s *Session) rearmed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srv.now() < s.beat.due
}

// renew begins PingTimeout anew if the client has not been heard yet.
func (s *Session) renew() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen && s.beat.phase == beatTimeout {
		s.arm(beatTimeout, s.pingTimeout)
	}
}

// finishedWriting says what became of n packets taken from the queue. PingTimeout begins when the ping has left.
func (s *Session) finishedWriting(n uint64, err error) {
	s.pingGrace.hold() // or a tick between the two would find a ping that has left and no time for its answer
	if s.out.finished(n, err) {
		s.renew()
	}
	s.pingGrace.drop()
}

// heartbeat acts on the client's half: the pong of revision 4, the ping of revision 3.
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
		s.arm(phase, wait)
	}
	s.mu.Unlock()
	s.pingGrace.reset()
	if t == codec.Ping {
		_ = s.out.push(codec.Packet{Type: codec.Pong}, 0)
	}
}

// An pingGrace is what the silence of a client is put down to, so that its heartbeat gives it PingTimeout once
// more: something of ours keeps its answer from being read, or the client from asking.
type pingGrace struct {
	state atomic.Uint32 // twice the reasons at present, and one if there was any since the heartbeat looked last
}

func (e *pingGrace) hold() { e.state.Add(2) }

func (e *pingGrace) release() {
	e.mark()
	e.drop()
}

// drop ends what is over without a trace.
func (e *pingGrace) drop() {
	left := e.state.Add(^uint32(1)) // 2 less
	assert(int32(left) >= 0, "more excuses ended than began")
}

// mark notes an excuse of this moment.
func (e *pingGrace) mark() { e.state.Or(1) }

// consume reports whether there is an excuse, or was one since the last call.
func (e *pingGrace) consume() bool { return e.state.And(^uint32(1)) != 0 }

// reset is called when a heartbeat begins: what was before does not matter to it.
func (e *pingGrace) reset() { e.consume() }
