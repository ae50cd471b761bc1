package client

import (
	"bytes"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
)

// session is one session with the server. The client's goroutine runs it: it polls, or reads the
// WebSocket. Beside it there are at most the goroutine that has claimed the outbox, and the probe.
// They end when ctx does, and run returns when they have.
type session struct {
	c      *Client
	ctx    context.Context
	cancel context.CancelCauseFunc // the first cause, a *CloseError, is what counts

	target *target // the client's, or where its handshake was redirected to
	dialer *dialer

	id           string
	created      time.Time
	openedAt     time.Time // when the handshake came
	interval     time.Duration
	timeout      time.Duration
	maxPayload   int
	upgradable   bool
	earlyPackets []codec.Packet // what came together with the handshake

	polls, posts httpConn
	tasks        sync.WaitGroup
	probeResult  chan *websocket.Conn // what the probe has found; closed when it is over; nil without one
	probeWS      *websocket.Conn      // taken from probeResult

	probing atomic.Bool // the probe waits for its answer, and polling has not waited for it yet

	upgradeOver chan struct{} // closed when the session has upgraded, or will not
	endUpgrade  func()

	writing      sync.Mutex      // held while something is sent, and while the transport changes
	ws           *websocket.Conn // nil on long-polling; set by the session's goroutine under writing
	onWS         atomic.Bool     // reports whether ws is set, without the lock
	closing      atomic.Bool     // our close packet is being sent, or was
	readPaused   atomic.Bool     // the application does not read, so we do not either
	manyPackets  bool            // a POST may have more than 16; guarded by writing
	lastActivity atomic.Int64    // when something came from the server, in nanoseconds since created: not by the wall clock
	nextPing     time.Time       // when we owe one (revision 3), or the server its first; the timer's alone
	timer        *time.Timer

	serverRevision  atomic.Uint32 // the revision that the server is known to speak, 0 as long as it is not
	warned          atomic.Bool   // the log has said that the revision seems to be another than ours
	messageReceived bool          // the session's goroutine alone uses it
}

func (c *Client) newSession() *session {
	s := &session{c: c, target: c.target, dialer: c.dialer, created: time.Now(), upgradeOver: make(chan struct{})}
	s.endUpgrade = sync.OnceFunc(func() { close(s.upgradeOver) })
	s.ctx, s.cancel = context.WithCancelCause(c.alive)
	s.polls.dialer, s.posts.dialer = c.dialer, c.dialer
	s.polls.onRead = s.noteActivity
	return s
}

func (s *session) transport() Transport {
	if s.onWS.Load() {
		return WebSocket
	}
	return Polling
}

// run is the life of an open session, from attach on. It returns why it ended.
func (s *session) run() *CloseError {
	s.startHeartbeat()
	s.startSender()
	alive := true
	for _, p := range s.earlyPackets {
		alive = alive && s.receive(p)
	}
	s.earlyPackets = nil
	if alive && !s.onWS.Load() {
		s.startProbe()
		s.runPolling()
	}
	s.endUpgrade()
	if s.onWS.Load() {
		s.runWebSocket()
	}
	why := s.closeError()
	s.c.out.detach(s.c.errorBetweenSessions(why))
	s.close()
	return why
}

// close ends everything that belongs to the session and waits for it.
func (s *session) close() {
	s.end(ReasonClientClose, nil)
	if s.timer != nil {
		s.timer.Stop()
	}
	s.tasks.Wait()
	if s.probeResult != nil && s.probeWS == nil {
		s.probeWS = <-s.probeResult
	}
	for _, ws := range []*websocket.Conn{s.ws, s.probeWS} {
		if ws != nil {
			abort(ws.NetConn())
		}
	}
	s.polls.close()
	s.posts.close()
}

// end ends the session. Only the first call counts.
func (s *session) end(r Reason, err error) {
	switch {
	case s.closing.Load():
		r, err = ReasonClientClose, nil
	case r != ReasonClientClose && r != ReasonTooBig && s.ctx.Err() == nil:
		err = s.explainByRevision(err)
	}
	s.cancel(&CloseError{Reason: r, Err: err})
}

// closeError is why the session ended. If nobody gave a reason, the client was told to end.
func (s *session) closeError() *CloseError {
	s.end(ReasonTransportClose, nil)
	if why := asCloseError(context.Cause(s.ctx)); why != nil {
		return why
	}
	return &CloseError{Reason: ReasonClientClose}
}

// endFor ends the session for the error of a request or a write, unless the end of the session has caused it.
func (s *session) endFor(err error) {
	if s.ctx.Err() == nil {
		s.end(reasonOf(err), err)
	}
}

// noteActivity notes that something came from the server.
func (s *session) noteActivity() { s.lastActivity.Store(int64(time.Since(s.created))) }

// receive acts on a packet; false ends the reading.
func (s *session) receive(p codec.Packet) bool {
	s.noteActivity()
	switch p.Type {
	case codec.Close:
		if s.closing.Load() {
			return false // the answer to our close packet
		}
		s.end(ReasonServerClose, nil)
		return false
	case codec.Ping:
		s.noteRevision(V4)
		s.c.out.pushHeartbeat(s, codec.Packet{Type: codec.Pong, Data: bytes.Clone(p.Data)})
		s.startSender()
	case codec.Pong:
		s.noteRevision(V3)
	case codec.Message:
		s.checkFirstMessage(p)
		s.queueMessage(Message{Data: append([]byte{}, p.Data...), Binary: p.Binary})
	}
	return s.ctx.Err() == nil
}

// queueMessage waits for room in the inbox. Meanwhile nothing is read, so the heartbeat does not count as missing.
func (s *session) queueMessage(m Message) {
	if s.c.in.tryAdd(m) {
		return
	}
	s.readPaused.Store(true)
	defer func() {
		s.noteActivity()
		s.readPaused.Store(false)
	}()
	for {
		select {
		case <-s.c.in.room:
		case <-s.ctx.Done():
			return
		}
		if s.c.in.tryAdd(m) {
			return
		}
	}
}
