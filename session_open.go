package engineio

import (
	"net/netip"
	"strconv"
	"time"

	"github.com/fasteio/engineio/codec"
)

// connect opens the session on t: the open packet is queued, the session can be found, OnConnect
// runs. The caller has corked the outbox. It fails when OnHandshake has closed the session, or
// when another has its id.
func (s *Session) connect(t transport) error {
	if !s.out.open(t, s.openPacket()) {
		s.terminate(ReasonServerClose, nil)
		return ErrClosed
	}
	s.setOpen()
	if m := s.srv.config.InitialMessage; m != nil {
		_ = s.Send(*m) // New has checked it, and the queue is empty but for the open packet
	}
	s.startBeat()
	if !s.srv.add(s) {
		s.terminate(ReasonServerClose, errIDInUse)
		return errIDInUse
	}
	s.logOpened()
	if s.lockCallbacks(onConnect) {
		s.connected = true
		s.runOnConnect()
		s.out.startWatermark()
	}
	return nil
}

// logOpened logs that the session has opened.
func (s *Session) logOpened() {
	s.mu.Lock()
	s.logged = s.state != stateClosed
	known := s.logged
	s.mu.Unlock()
	if known && s.srv.debugging() {
		s.srv.config.Logger.Debug("engineio: session opened", "sid", s.id, "transport", s.Transport(), "remote", s.remote, "revision", int(s.revision))
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

// newSession makes a session that opens within PingInterval and PingTimeout, or ends.
func (srv *Server) newSession(remote netip.AddrPort, id string, r request) *Session {
	c := &srv.config
	s := &Session{srv: srv, id: id, revision: r.revision, remote: remote, openedAt: srv.now(), rate: newRateLimit(c)}
	s.pingInterval, s.pingTimeout = c.PingInterval, c.PingTimeout
	s.transport.Store(uint32(r.transport))
	s.http.Store(r.http)
	s.over.Store(true)
	s.out.init(s, r.base64 || r.jsonp != nil)
	if r.transport == Polling {
		s.poll = &polling{s: s}
	}
	if c.MaxConcurrentMessages > 1 {
		s.slots = make(chan struct{}, c.MaxConcurrentMessages)
	}
	s.mu.Lock() // the timer may go off before it is assigned
	s.beat.timer = time.AfterFunc(c.PingInterval+c.PingTimeout, s.tick)
	s.mu.Unlock()
	if onNewSession != nil {
		onNewSession(s)
	}
	return s
}
