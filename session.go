package engineio

import (
	"context"
	"fmt"
	"net"
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

	born time.Duration // of Server.now, when its handshake came

	rate *rateLimit // nil where no rate is bounded

	callbackMu   sync.RWMutex  // held while a callback runs, shared by concurrent OnMessage
	slots        chan struct{} // one for each OnMessage at work; nil unless they are concurrent
	connected    bool          // OnConnect was due; guarded by turn
	callbackRuns atomic.Bool   // a callback has the turn to itself, and keeps the client from being heard
	revision     Revision

	via       atomic.Uint32 // the Transport
	over      atomic.Bool   // state is not open, or connect has not opened the session: nothing is received
	probed    atomic.Bool   // an upgrade has got as far as the probe
	pingGrace pingGrace

	mu      sync.Mutex // a leaf, like outbox.mu
	state   state
	asked   bool // OnHandshake is through
	known   bool // the log was told of it
	doing   callback
	reason  Reason // why the session is closing or closed
	err     error
	beat    heartbeat
	probing *webSocket    // the one that tries to upgrade the session, or nil
	probeBy time.Duration // until when, of Server.now, it has the right to
	values  *value
	life    *lifetime // made by the first Context
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
func (s *Session) Transport() Transport { return Transport(s.via.Load()) }

// RemoteAddr is the address the session was opened from, with port 0 where a proxy has told it (see
// Config.TrustedProxies). It is not valid where there is none, as on a Unix socket.
func (s *Session) RemoteAddr() netip.AddrPort { return s.remote }

// OpenedAt is when the handshake of the session came.
func (s *Session) OpenedAt() time.Time { return s.srv.made.Add(s.born) }

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
	if s.asked {
		return ErrTooLate
	}
	s.pingInterval, s.pingTimeout = interval, timeout
	return nil
}

// Close ends the session in good order: what was sent before leaves first, within
// Config.CloseTimeout. It returns at once; Context tells when it is done. Messages that come in
// meanwhile are ignored.
func (s *Session) Close() { s.close(ReasonServerClose) }

// CloseNow ends the session and drops what is queued. The client is still told, if it listens.
func (s *Session) CloseNow() { s.terminate(ReasonServerClose, nil) }

func (s *Session) close(r Reason) {
	s.mu.Lock()
	if s.state != stateOpen {
		s.mu.Unlock()
		return
	}
	s.state, s.reason = stateClosing, r
	s.over.Store(true)
	s.arm(beatClosing, s.srv.config.CloseTimeout)
	s.mu.Unlock()
	if !s.out.end(true) {
		s.terminate(0, nil) // it was not open yet: there is nothing to wait for
	}
}

// terminate is the only way to closed. The first to name a reason, here or in close, has it.
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
	s.over.Store(true)
	s.beat.timer.Stop()
	probing, life, known := s.probing, s.life, s.known
	var answer *delivery
	if s.poll != nil {
		answer = s.poll.delivery.Load()
	}
	s.mu.Unlock()

	if answer == nil {
		s.srv.dismiss(s.remote.Addr())
	} else {
		answer.hurry() // whose end gives the place back
	}
	if s.out.end(false) && lingers && s.Transport() == Polling {
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
	s.srv.late.add(s)
	go s.runOnDisconnect()
}

// linger keeps a closed polling session findable for one more GET: two HTTP requests are not
// ordered, so the client's next poll may be under way.
func (s *Session) linger() {
	s.mu.Lock()
	s.arm(beatLinger, lingerTime)
	s.mu.Unlock()
}

// closeDelivered is called by long-polling when the last word is in a response.
func (s *Session) closeDelivered() {
	s.terminate(0, nil) // no-op unless close began it, and then the reason is named
	s.mu.Lock()
	s.beat.timer.Stop()
	s.mu.Unlock()
	s.srv.forget(s)
}

// closeReason is called by a transport that is about to say the last word, and gives its reason.
func (s *Session) closeReason() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
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

func (s *Session) uncork() {
	if t := s.out.uncork(); t != nil {
		t.wake()
	}
}

// receive acts on one packet of the client.
func (s *Session) receive(p codec.Packet, from net.Conn) {
	switch p.Type {
	case codec.Message:
		s.runOnMessage(Message{Data: p.Data, Binary: p.Binary})
		if s.rate != nil {
			s.throttle(len(p.Data), from)
		}
	case codec.Ping, codec.Pong:
		s.heartbeat(p.Type)
	case codec.Close:
		s.terminate(ReasonClientClose, nil)
	}
	// open, upgrade and noop mean nothing here, and the reference ignores them
}

const lingerTime = 2 * time.Second
