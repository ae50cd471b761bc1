package socketio

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A conn is a session of the engine, with its sockets. Its packets are read by one goroutine at a time.
type conn struct {
	srv     *Server
	session *engineio.Session
	timer   *time.Timer // of Config.ConnectTimeout
	decoder parser.Decoder
	workers []*worker // one for each namespace that the client has asked for; the reader alone adds to it, under mu

	mu      sync.Mutex // a leaf
	cause   *CloseError
	calls   map[uint64]*call
	lastID  uint64
	blocked int // 1 while the reader waits for room in a queue
}

func newConn(srv *Server, s *engineio.Session) *conn {
	c := &conn{srv: srv, session: s}
	c.decoder.MaxAttachments = srv.config.MaxAttachments
	c.decoder.MaxAttachmentBytes = srv.config.MaxAttachmentBytes
	c.timer = time.AfterFunc(srv.config.ConnectTimeout, func() { c.fail(ReasonForcedClose, errNoConnect) })
	return c
}

var (
	errNoConnect  = errors.New("no namespace within Config.ConnectTimeout")
	errUnexpected = errors.New("a packet that is not due")
)

// fail closes the session, for a reason that its sockets are told.
func (c *conn) fail(r Reason, err error) {
	c.blame(r, err)
	c.srv.log.Debug("socketio: closing a session", "sid", c.session.ID(), "remote", c.session.RemoteAddr(), "err", err)
	c.session.Close()
}

// closeBehind closes the session when what was sent before has left. In one payload with it, socket.io-client would act on
// the close first, miss that the server has disconnected it, and come back.
func (c *conn) closeBehind() {
	err := c.srv.engine.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.srv.config.Engine.CloseTimeout)
		defer cancel()
		_ = c.session.Flush(ctx)
		c.session.Close()
	})
	if err != nil {
		c.session.Close()
	}
}

// blame is the reason that the sockets are told when the session has ended. The first is kept.
func (c *conn) blame(r Reason, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cause == nil {
		c.cause = &CloseError{r, err}
	}
}

// receive takes a message of the client.
func (c *conn) receive(m engineio.Message) {
	take := c.decoder.Text
	if m.Binary {
		take = c.decoder.Binary
	}
	p, done, err := take(m.Data)
	if err != nil {
		c.fail(ReasonParseError, err)
		return
	}
	if done && !c.packet(p) {
		c.fail(ReasonParseError, errUnexpected)
	}
}

// packet acts on a packet. It reports whether it was due.
func (c *conn) packet(p parser.Packet) bool {
	w := c.worker(p.Namespace)
	switch p.Type {
	case parser.Connect:
		return c.connect(w, p)
	case parser.Event, parser.Ack, parser.Disconnect:
	default:
		return false
	}
	if w == nil {
		return false
	}
	s, ok := w.connected()
	if !ok || s == nil { // nil when this side has ended it, which the client does not know yet
		return ok
	}
	switch p.Type {
	case parser.Event:
		w.push(job{kind: jobEvent, socket: s, packet: owned(p), size: sizeOf(p)})
	case parser.Ack:
		c.answer(s, owned(p))
	case parser.Disconnect:
		s.end(ReasonClientDisconnect, nil)
		w.left(s)
	}
	return true
}

// connect begins to make a socket.
func (c *conn) connect(w *worker, p parser.Packet) bool {
	n := c.srv.namespace(p.Namespace)
	if n == nil {
		_ = c.send(parser.ConnectError, p.Namespace, []byte(`{"message":"Invalid namespace"}`))
		return true
	}
	if w == nil {
		w = &worker{conn: c, namespace: n}
		c.mu.Lock()
		c.workers = append(c.workers, w)
		c.mu.Unlock()
	}
	return w.connect(newSocket(n, w, owned(p).Data))
}

// worker is the one for a namespace, or nil when the client has not asked for it.
func (c *conn) worker(namespace string) *worker {
	for _, w := range c.workers {
		if w.namespace.name == namespace {
			return w
		}
	}
	return nil
}

// send sends a packet without attachments. A session that cannot take it misses something that it must not, so it ends.
func (c *conn) send(t parser.Type, namespace string, data []byte) error {
	err := c.session.Send(engineio.Message{Data: append(parser.AppendHead(nil, t, 0, namespace), data...)})
	if err != nil && !errors.Is(err, engineio.ErrClosed) {
		c.blame(ReasonForcedClose, err)
		c.session.CloseNow()
	}
	return err
}

// end is the end of the session: its sockets end, and it waits until their handlers are through.
func (c *conn) end(r Reason, err error) {
	c.timer.Stop()
	c.blame(r, err)
	c.mu.Lock()
	cause := c.cause
	c.mu.Unlock()
	for _, w := range c.workers {
		w.end(cause)
	}
	for _, w := range c.workers {
		<-w.over
	}
}

// owned is p with Data of its own. Attachments are its own already, and so is what came with them.
func owned(p parser.Packet) parser.Packet {
	if len(p.Attachments) == 0 {
		p.Data = append([]byte(nil), p.Data...)
	}
	return p
}

func sizeOf(p parser.Packet) int {
	n := len(p.Data)
	for _, a := range p.Attachments {
		n += len(a)
	}
	return n
}
