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
	c   *Client
	ctx context.Context
	end context.CancelCauseFunc // the first cause, a *CloseError, is what counts

	target *target // the client's, or where its handshake was redirected to
	dialer *dialer

	id         string
	made       time.Time
	opened     time.Time // when the handshake came
	interval   time.Duration
	timeout    time.Duration
	maxPayload int
	upgradable bool
	early      []codec.Packet // what came together with the handshake

	polls, posts lane
	tasks        sync.WaitGroup
	probed       chan *websocket.Conn // what the probe has found; closed when it is over; nil without one
	found        *websocket.Conn      // taken from probed

	asking atomic.Bool // the probe waits for its answer, and polling has not waited for it yet

	decided chan struct{} // closed when no upgrade is to be expected anymore
	decide  func()

	writing   sync.Mutex      // held while something is sent, and while the transport changes
	ws        *websocket.Conn // nil on long-polling; set by the session's goroutine under writing
	onWS      atomic.Bool     // that it is set
	leaving   atomic.Bool     // we have said goodbye
	stalled   atomic.Bool     // the application does not read, so we do not either
	anyNumber bool            // of packets is welcome in a POST; guarded by writing
	heard     atomic.Int64    // when something came from the server, in nanoseconds from made: not by the wall clock
	nextPing  time.Time       // when we owe one (revision 3), or the server its first; the heartbeat's
	beat      *time.Timer

	proven atomic.Uint32 // the revision that the server is known to speak, 0 as long as it is not
	warned atomic.Bool   // that it seems to be another than ours
	spoken bool          // a message has come; the session's goroutine's
}

func (c *Client) newSession() *session {
	s := &session{c: c, target: c.target, dialer: c.dialer, made: time.Now(), decided: make(chan struct{})}
	s.decide = sync.OnceFunc(func() { close(s.decided) })
	s.ctx, s.end = context.WithCancelCause(c.life)
	s.polls.dialer, s.posts.dialer = c.dialer, c.dialer
	s.polls.hear = s.hear
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
	s.kick()
	alive := true
	for _, p := range s.early {
		alive = alive && s.receive(p)
	}
	s.early = nil
	if alive && !s.onWS.Load() {
		s.startProbe()
		s.poll()
	}
	s.decide()
	if s.onWS.Load() {
		s.read()
	}
	why := s.why()
	s.c.out.detach(s.c.between(why))
	s.close()
	return why
}

// close ends everything that belongs to the session and waits for it.
func (s *session) close() {
	s.fail(ReasonClientClose, nil)
	if s.beat != nil {
		s.beat.Stop()
	}
	s.tasks.Wait()
	if s.probed != nil && s.found == nil {
		s.found = <-s.probed
	}
	for _, ws := range []*websocket.Conn{s.ws, s.found} {
		if ws != nil {
			abort(ws.NetConn())
		}
	}
	s.polls.close()
	s.posts.close()
}

// fail ends the session. Only the first call counts.
func (s *session) fail(r Reason, err error) {
	switch {
	case s.leaving.Load():
		r, err = ReasonClientClose, nil
	case r != ReasonClientClose && r != ReasonTooBig && s.ctx.Err() == nil:
		err = s.blame(err)
	}
	s.end(&CloseError{Reason: r, Err: err})
}

// why is the reason of the end. Without one the client was told to end.
func (s *session) why() *CloseError {
	s.fail(ReasonTransportClose, nil)
	if why := asCloseError(context.Cause(s.ctx)); why != nil {
		return why
	}
	return &CloseError{Reason: ReasonClientClose}
}

// failed ends the session for an error of a request or a connection, and is silent about those that its
// end has caused.
func (s *session) failed(err error) {
	if s.ctx.Err() == nil {
		s.fail(reasonOf(err), err)
	}
}

// hear notes a sign of life.
func (s *session) hear() { s.heard.Store(int64(time.Since(s.made))) }

// receive acts on a packet; false ends the reading.
func (s *session) receive(p codec.Packet) bool {
	s.hear()
	switch p.Type {
	case codec.Close:
		if s.leaving.Load() {
			return false // the answer to our goodbye
		}
		s.fail(ReasonServerClose, nil)
		return false
	case codec.Ping:
		s.proves(V4)
		s.c.out.pushUrgent(s, codec.Packet{Type: codec.Pong, Data: bytes.Clone(p.Data)})
		s.kick()
	case codec.Pong:
		s.proves(V3)
	case codec.Message:
		s.listen(p)
		s.deliver(Message{Data: append([]byte{}, p.Data...), Binary: p.Binary})
	}
	return s.ctx.Err() == nil
}

// deliver waits for room in the inbox. The heartbeat cannot blame the server meanwhile.
func (s *session) deliver(m Message) {
	if s.c.in.offer(m) {
		return
	}
	s.stalled.Store(true)
	defer func() {
		s.hear()
		s.stalled.Store(false)
	}()
	for {
		select {
		case <-s.c.in.room:
		case <-s.ctx.Done():
			return
		}
		if s.c.in.offer(m) {
			return
		}
	}
}
