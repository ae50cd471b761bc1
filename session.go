package engineio

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/fasteio/engineio/codec"
)

// A Session is one client's connection, whichever transport carries it. Its methods may be
// called from any goroutine.
type Session struct {
	srv      *Server
	id       string
	revision Revision
	remote   netip.AddrPort
	out      outbox
	poll     *polling // nil when the session was opened by WebSocket

	// What OnHandshake may set; fixed once the session is open.
	pingInterval, pingTimeout time.Duration

	turn      sync.RWMutex  // held while a callback runs, shared by concurrent OnMessage
	slots     chan struct{} // one for each OnMessage at work; nil unless they are concurrent
	connected bool          // OnConnect was due; guarded by turn
	told      bool          // OnDisconnect was due; guarded by turn

	via    atomic.Uint32 // the Transport
	over   atomic.Bool   // state is not open: nothing is received any more
	probed atomic.Bool   // an upgrade has got as far as the probe

	mu      sync.Mutex // a leaf, like outbox.mu
	state   state
	asked   bool   // OnHandshake is through
	reason  Reason // why the session is closing or closed
	err     error
	beat    heartbeat
	probing *webSocket // the one that tries to upgrade the session, or nil
	probeBy time.Time  // until when it has the right to
	values  []value
	ctx     context.Context // made by the first Context
	cancel  context.CancelCauseFunc
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

// RemoteAddr is the address the session was opened from.
func (s *Session) RemoteAddr() netip.AddrPort { return s.remote }

// Context is cancelled when the session ends, with a *CloseError as its cause.
func (s *Session) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
		if s.state == stateClosed {
			s.cancel(&CloseError{s.reason, s.err})
		}
	}
	return s.ctx
}

// SendText queues a text message. It never blocks: it fails with ErrQueueFull, ErrClosed or
// ErrInvalidText, and then nothing was queued. Messages arrive in the order of their sends, each
// at most once; a session that ends loses what its client has not read.
func (s *Session) SendText(text string) error {
	return s.Send(Message{Data: view(text)}, 0)
}

// SendBinary queues a binary message. data is copied; otherwise it is like SendText.
func (s *Session) SendBinary(data []byte) error {
	return s.Send(Message{Data: data, Binary: true}, 0)
}

// SendJSON queues v as a text message, encoded by Config.JSON, whose errors it returns.
func (s *Session) SendJSON(v any) error {
	text, err := s.srv.config.JSON(v)
	if err != nil {
		return err
	}
	return s.Send(Message{Data: text}, 0)
}

// Send queues a message with options. m.Data is copied. It fails like SendText, and with
// ErrNotReady for a volatile message.
func (s *Session) Send(m Message, opts SendOption) error {
	if !m.Binary && !s.carries(m.Data) {
		return ErrInvalidText
	}
	return s.out.push(codec.Packet{Type: codec.Message, Binary: m.Binary, Data: m.Data}, opts)
}

// SendPrepared queues a message that was encoded before, with the options it was prepared with.
// Otherwise it is like SendText.
func (s *Session) SendPrepared(p *Prepared) error {
	if p.invalid || p.separator && !s.carriesSeparator() {
		return ErrInvalidText
	}
	return s.out.pushPrepared(p)
}

// SetPing gives this session a heartbeat of its own, for clients on networks that need another.
// It may only be called in OnHandshake, and fails with ErrTooLate after it. Both durations are
// at least 1 ms.
func (s *Session) SetPing(interval, timeout time.Duration) error {
	if interval < time.Millisecond || timeout < time.Millisecond {
		return fmt.Errorf("engineio: SetPing(%v, %v): must be at least 1ms", interval, timeout)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked {
		return ErrTooLate
	}
	s.pingInterval, s.pingTimeout = interval, timeout
	return nil
}

// Flush waits until everything sent before the call has been handed to a connection. It fails
// with ErrClosed when the session ends and some of it is lost, and with the cause of ctx. In
// OnMessage on long-polling it holds the client's POST until the client's GET has taken the
// messages; in OnConnect on long-polling it can only fail, since that GET is yet to come.
func (s *Session) Flush(ctx context.Context) error { return s.out.flush(ctx) }

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
	s.out.end(true)
}

// terminate is the only way to closed. The first to name a reason, here or in close, has it.
func (s *Session) terminate(r Reason, err error) {
	s.mu.Lock()
	if s.state == stateClosed {
		s.mu.Unlock()
		return
	}
	lingers := r.owesWord()
	if s.state == stateClosing {
		r, lingers = s.reason, false // it has had CloseTimeout
	}
	s.state, s.reason, s.err = stateClosed, r, err
	s.over.Store(true)
	s.beat.timer.Stop()
	probing, cancel := s.probing, s.cancel
	s.mu.Unlock()

	s.srv.open.Add(-1)
	if s.out.end(false) && lingers && s.Transport() == Polling {
		s.linger()
	} else {
		s.srv.forget(s)
	}
	if probing != nil {
		probing.interrupt()
	}
	if cancel != nil {
		cancel(&CloseError{r, err})
	}
	s.srv.config.Logger.Debug("engineio: session closed", "sid", s.id, "reason", r, "err", err)
	go s.settle() // the caller may hold a lock that OnDisconnect wants
}

// linger keeps a closed polling session findable for one more GET: two HTTP requests are not
// ordered, so the client's next poll may be under way.
func (s *Session) linger() {
	s.mu.Lock()
	s.arm(beatLinger, lingerTime)
	s.mu.Unlock()
}

// said is called by long-polling when the last word is in a response.
func (s *Session) said() {
	s.terminate(0, nil) // no-op unless close began it, and then the reason is named
	s.mu.Lock()
	s.beat.timer.Stop()
	s.mu.Unlock()
	s.srv.forget(s)
}

// last is called by a transport that is about to say the last word, and gives its reason.
func (s *Session) last() Reason {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.reason
}

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

func (s *Session) disconnected() {
	defer s.leave()
	if f := s.srv.config.OnDisconnect; f != nil {
		s.mu.Lock()
		r, err := s.reason, s.err
		s.mu.Unlock()
		f(s, r, err)
	}
}

func (s *Session) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state == stateClosed
}

// connect opens the session on t: the open packet is queued, the session can be found, OnConnect
// runs. The caller has corked the outbox. It fails when OnHandshake has closed the session.
func (s *Session) connect(t transport) bool {
	if !s.out.open(t, s.openPacket()) {
		s.terminate(ReasonServerClose, nil)
		return false
	}
	if m := s.srv.config.InitialMessage; m != nil {
		_ = s.Send(*m, 0) // New has checked it
	}
	s.startBeat()
	s.srv.add(s)
	if s.enter() {
		s.connected = true
		s.opened()
	}
	return true
}

func (s *Session) opened() {
	defer s.leave()
	if f := s.srv.config.OnConnect; f != nil {
		f(s)
	}
}

func (s *Session) uncork() {
	if t := s.out.uncork(); t != nil {
		t.wake()
	}
}

// receive acts on one packet of the client.
func (s *Session) receive(p codec.Packet) {
	switch p.Type {
	case codec.Message:
		s.deliver(Message{Data: p.Data, Binary: p.Binary})
	case codec.Ping, codec.Pong:
		s.heartbeat(p.Type)
	case codec.Close:
		s.terminate(ReasonClientClose, nil)
	}
	// open, upgrade and noop mean nothing here, and the reference ignores them
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

// openPacket is the handshake of the protocol. Its keys are in the reference's order.
func (s *Session) openPacket() codec.Packet {
	b := append(make([]byte, 0, 160), `{"sid":"`...)
	b = append(b, s.id...)
	b = append(b, `","upgrades":[`...)
	if s.srv.mayUpgrade(s.Transport()) {
		b = append(b, `"websocket"`...)
	}
	b = append(b, `],"pingInterval":`...)
	b = strconv.AppendInt(b, s.pingInterval.Milliseconds(), 10)
	b = append(b, `,"pingTimeout":`...)
	b = strconv.AppendInt(b, s.pingTimeout.Milliseconds(), 10)
	b = append(b, `,"maxPayload":`...)
	b = strconv.AppendInt(b, int64(s.srv.config.MaxPayload), 10)
	return codec.Packet{Type: codec.Open, Data: append(b, '}')}
}

// carries tells whether the transport can carry a text.
func (s *Session) carries(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	return s.carriesSeparator() || bytes.IndexByte(text, codec.Separator) < 0
}

// carriesSeparator is false where a 0x1e in a text would end the packet. A session that has left
// long-polling never returns to it.
func (s *Session) carriesSeparator() bool {
	return s.revision == V3 || s.Transport() == WebSocket
}

const lingerTime = 2 * time.Second
