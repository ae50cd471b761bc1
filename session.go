package engineio

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasteio/engineio/codec"
)

// A Session is one client's connection, whichever transport carries it. Its methods may be
// called from any goroutine.
type Session struct {
	srv    *Server
	id     string
	remote netip.AddrPort
	out    outbox
	poll   *polling // nil when the session was opened by WebSocket

	// What OnHandshake may set; fixed once the session is open.
	pingInterval, pingTimeout time.Duration

	openedAt time.Duration // of Server.now, when its handshake came

	rate *rateLimit // nil when no rate is bounded

	callbackMu   sync.RWMutex  // held while a callback runs, shared by concurrent OnMessage
	slots        chan struct{} // one for each OnMessage at work; nil unless they are concurrent
	connected    bool          // OnConnect was due; guarded by callbackMu
	callbackRuns atomic.Bool   // a callback holds callbackMu exclusively, and nothing is read from the client meanwhile
	revision     Revision

	http      atomic.Pointer[httpServer] // that the session lives on; nil when it cannot shut down
	transport atomic.Uint32              // the Transport
	over      atomic.Bool                // state is not open, or connect has not opened the session: nothing is received
	probed    atomic.Bool                // an upgrade has got as far as the probe
	pingGrace pingGrace

	mu              sync.Mutex // a leaf, like outbox.mu
	state           state
	handshakeDone   bool // OnHandshake is through
	logged          bool // its opening was logged
	currentCallback callback
	reason          Reason // why the session is closing or closed
	err             error
	beat            heartbeat
	probing         *webSocket    // the one that tries to upgrade the session, or nil
	probeBy         time.Duration // until when, of Server.now, it has the right to
	values          *value
	life            *lifetime // made by the first Context
}

// A lifetime is a session's context.
type lifetime struct {
	context.Context
	end context.CancelCauseFunc
}

type state uint8

const (
	stateOpen state = iota
	stateClosing
	stateClosed
)

// ID is the session id, as the client knows it.
func (s *Session) ID() string { return s.id }

// Revision is the protocol revision the client speaks.
func (s *Session) Revision() Revision { return s.revision }

// Transport is what carries the session now. It changes once at most, from Polling to WebSocket.
func (s *Session) Transport() Transport { return Transport(s.transport.Load()) }

// RemoteAddr is the address the session was opened from, with port 0 where it is a proxy that says so (see
// Config.TrustedProxies). It is not valid where there is none, as on a Unix socket.
func (s *Session) RemoteAddr() netip.AddrPort { return s.remote }

// OpenedAt is when the handshake of the session came.
func (s *Session) OpenedAt() time.Time { return s.srv.made.Add(s.openedAt) }

// Context is cancelled when the session ends, with a *CloseError as its cause.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		ctx, end := context.WithCancelCause(context.Background())
		s.life = &lifetime{ctx, end}
		if s.state == stateClosed {
			end(&CloseError{s.reason, s.err})
		}
	}
	return s.life.Context
}

// SetPing gives this session a heartbeat of its own, for clients on networks that need another.
// It may only be called in OnHandshake, and fails with ErrTooLate after it. Both durations are
// at least 1 ms, and together 24 days at most.
func (s *Session) SetPing(interval, timeout time.Duration) error {
	if interval < time.Millisecond || timeout < time.Millisecond || interval > maxTime-timeout {
		return fmt.Errorf("engineio: SetPing(%v, %v): must be at least 1ms, and 24 days together at most", interval, timeout)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.handshakeDone {
		return ErrTooLate
	}
	s.pingInterval, s.pingTimeout = interval, timeout
	return nil
}

// Close ends the session when what was sent before has been written, within
// Config.CloseTimeout. It returns at once; Context ends when it is done. Messages that come in
// meanwhile are ignored.
func (s *Session) Close() { s.close(ReasonServerClose) }

// CloseNow ends the session and drops what is queued. The client still gets a close packet or frame, if
// it takes one.
func (s *Session) CloseNow() { s.terminate(ReasonServerClose, nil) }

func (s *Session) close(r Reason) {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return
	}
	s.state, s.reason = stateClosing, r
	s.setOver()
	s.startTimer(beatClosing, s.srv.config.CloseTimeout)
	s.mu.Unlock()
	if !s.out.close() {
		s.completeClose() // it was not open yet: there is nothing to wait for
	}
}

// completeClose ends a session that close has begun to end, with the reason given there. It is called when the close
// packet is sent or cannot be, and does nothing when the session has ended.
func (s *Session) completeClose() { s.terminate(0, nil) }

// terminate ends the session. Every session ends here, and what follows runs once. The reason is the one given first, here
// or in close.
func (s *Session) terminate(r Reason, err error) {
	s.mu.Lock()
	if s.state == stateClosed {
		s.mu.Unlock()
		return
	}
	lingers := r.lingers()
	if s.state == stateClosing {
		r = s.reason
	}
	s.state, s.reason, s.err = stateClosed, r, err
	s.setOver()
	s.beat.timer.Stop()
	probing, life, known := s.probing, s.life, s.logged
	var answer *delivery
	if s.poll != nil {
		answer = s.poll.delivery.Load()
	}
	s.mu.Unlock()

	if answer == nil {
		s.srv.releasePlace(s.remote.Addr())
	} else {
		answer.shortenDeadline() // the end of the delivery gives the place back
	}
	if s.out.abort() && lingers && s.Transport() == Polling {
		s.linger()
	} else {
		s.srv.forget(s)
	}
	if probing != nil {
		probing.interrupt()
	}
	if life != nil {
		life.end(&CloseError{r, err})
	}
	if r == ReasonTooBig {
		s.srv.warn(noticePayload, "engineio: ended a session for a payload above Config.MaxPayload or MaxPackets: raise that if the client is yours",
			"sid", s.id, "remote", s.remote, "err", err)
	}
	if known && s.srv.debugging() {
		s.srv.config.Logger.Debug("engineio: session closed", "sid", s.id, "transport", s.Transport(), "remote", s.remote, "reason", r, "err", err)
	}
	if s.srv.config.OnDisconnect == nil && s.callbackMu.TryLock() {
		s.callbackMu.Unlock()
		s.leaveGroups()
		s.srv.busy.done()
		return
	}
	s.srv.disconnecting.add(s)
	go s.runOnDisconnect()
}

// setOpen has the session count as open, unless it was closed before. setOver ends that.
func (s *Session) setOpen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == stateOpen {
		s.over.Store(false)
		s.srv.open.Add(1)
	}
}

// setOver has the session count as open no more, if it did. The caller holds mu.
func (s *Session) setOver() {
	if !s.over.Swap(true) {
		n := s.srv.open.Add(-1)
		assert(n >= 0, "more sessions ended than were open")
	}
}

// linger keeps the id of a closed session known for one more GET, which gets the close packet: the client's next
// GET may be under way.
func (s *Session) linger() {
	s.mu.Lock()
	s.startTimer(beatLinger, lingerTime)
	s.mu.Unlock()
}

// closeDelivered is called by long-polling when the close packet is in a response.
func (s *Session) closeDelivered() {
	s.completeClose()
	s.mu.Lock()
	s.beat.timer.Stop()
	s.mu.Unlock()
	s.srv.forget(s)
}

// closeCause is why the session is closing or closed, and the error behind it, if any.
func (s *Session) closeCause() (Reason, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason, s.err
}

// setDelivery sets the delivery under way, nil for none, and returns the one before. It reports whether the session has
// ended; if not, terminate will find the new one.
func (s *Session) setDelivery(d *delivery) (before *delivery, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.poll.delivery.Swap(d), s.state == stateClosed
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosed
}

// isOpening reports whether the session has yet to be opened by connect, and has not ended before.
func (s *Session) isOpening() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateOpen && s.over.Load()
}

// uncork ends a cork of the outbox, and wakes the transport if there is something to send.
func (s *Session) uncork() {
	if t := s.out.uncork(); t != nil {
		t.wake()
	}
}

// receive acts on one packet of the client. alive reports whether the client is still connected; it is called where a
// rate is bounded only, and may be nil otherwise.
func (s *Session) receive(p codec.Packet, alive func() bool) {
	switch p.Type {
	case codec.Message:
		s.runOnMessage(Message{Data: p.Data, Binary: p.Binary})
		if s.rate != nil {
			s.throttle(len(p.Data), alive)
		}
	case codec.Ping, codec.Pong:
		s.heartbeat(p.Type)
	case codec.Close:
		s.terminate(ReasonClientClose, nil)
	}
	// open, upgrade and noop mean nothing here, and the reference ignores them
}

const lingerTime = 2 * time.Second
