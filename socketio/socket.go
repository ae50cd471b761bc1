package socketio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"sync/atomic"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A Socket is a client in a namespace. Its methods may be called from any goroutine.
type Socket struct {
	namespace *Namespace
	worker    *worker
	id        string
	auth      []byte      // JSON of an object, or empty
	in        atomic.Bool // the client knows of it, and it has not ended

	rooms map[string]int // where it stands in each; guarded by namespace.mu, as is gone
	gone  bool           // it joins no more

	why    *CloseError             // guarded by conn.mu, as are those below
	ctx    context.Context         // made by the first Context
	cancel context.CancelCauseFunc // of ctx
	values map[any]any             // of Keys
}

func newSocket(n *Namespace, w *worker, auth []byte) *Socket {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return &Socket{namespace: n, worker: w, id: base64.RawURLEncoding.EncodeToString(b[:]), auth: auth}
}

// ID is the id of the socket, which the client knows as socket.id. It is not the session's id, which is a secret.
// It is a room too, with this socket alone.
func (s *Socket) ID() string { return s.id }

// Namespace is where the socket is.
func (s *Socket) Namespace() *Namespace { return s.namespace }

// Session is the session of the engine that carries the socket, and those of the client's other namespaces. Keys
// that OnHandshake has set are found there.
func (s *Socket) Session() *engineio.Session { return s.worker.conn.session }

// Auth stores what the client gave as auth in what v points to, as json.Unmarshal does: an object, {} when it gave none.
func (s *Socket) Auth(v any) error {
	if len(s.auth) == 0 {
		return json.Unmarshal([]byte("{}"), v)
	}
	return json.Unmarshal(s.auth, v)
}

// Context is cancelled when the socket is no longer connected, with a *CloseError as its cause.
func (s *Socket) Context() context.Context {
	c := s.worker.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.ctx == nil {
		s.ctx, s.cancel = context.WithCancelCause(context.Background())
		if s.why != nil {
			s.cancel(s.why)
		}
	}
	return s.ctx
}

// Emit sends an event. It does not wait: it fails with a *CloseError, with ErrNotConnected in middleware, with
// ErrReserved, when an argument is no JSON, and with engineio.ErrQueueFull for a client that is slow, as
// Config.Engine.Overflow says. A []byte becomes an attachment, also within []any and map[string]any; within
// other types it is a base64 string. An event and its attachments are sent or dropped as one.
func (s *Socket) Emit(event string, args ...any) error { return s.emit(0, event, args, 0, false) }

// With is this socket with options for its sends, such as engineio.Volatile for what may be dropped
// when the client cannot take it at once.
func (s *Socket) With(opts ...engineio.SendOption) Target {
	return Target{namespace: s.namespace, rooms: []string{s.id}}.With(opts...)
}

// To is the sockets in any of the rooms, but for this one.
func (s *Socket) To(rooms ...string) Target { return s.namespace.To(rooms...).without(s) }

// Broadcast is all sockets of the namespace but this one.
func (s *Socket) Broadcast() Target { return s.namespace.all().without(s) }

// Except is all sockets of the namespace but this one and those in the rooms.
func (s *Socket) Except(rooms ...string) Target { return s.Broadcast().Except(rooms...) }

// Disconnect ends the socket, with ReasonServerDisconnect, and with closeSession those of the client in other
// namespaces and the session too. Events that wait are dropped. A client that was disconnected does
// not connect again by itself, unless its session was closed.
func (s *Socket) Disconnect(closeSession bool) {
	s.disconnect(nil)
	if !closeSession {
		return
	}
	c := s.worker.conn
	c.mu.Lock()
	workers := c.workers[:len(c.workers):len(c.workers)]
	c.mu.Unlock()
	for _, w := range workers {
		if other := w.current(); other != nil {
			other.disconnect(nil)
		}
	}
	c.blame(ReasonServerDisconnect, nil)
	c.closeBehind()
}

func (s *Socket) disconnect(err error) {
	if s.end(ReasonServerDisconnect, err) && s.worker.expel(s) {
		_ = s.worker.conn.send(parser.Disconnect, s.namespace.name, nil)
	}
}

// end is where the socket ceases to be connected; the first to call it names the reason, and is told so by
// true.
func (s *Socket) end(r Reason, err error) bool {
	c := s.worker.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.why != nil {
		return false
	}
	s.why = &CloseError{r, err}
	s.in.Store(false) // before the context tells
	if s.cancel != nil {
		s.cancel(s.why)
	}
	c.failCalls(s, s.why)
	return true
}

// reason is why the socket has ended, or nil.
func (s *Socket) reason() *CloseError {
	c := s.worker.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	return s.why
}

func (s *Socket) emit(opts engineio.SendOption, event string, args []any, id uint64, hasID bool) error {
	text, attachments, err := s.namespace.encode(event, args, id, hasID)
	if err != nil {
		return err
	}
	return s.send(opts, text, attachments)
}

// send sends a packet.
func (s *Socket) send(opts engineio.SendOption, text []byte, attachments [][]byte) error {
	if !s.in.Load() {
		if why := s.reason(); why != nil {
			return why
		}
		return ErrNotConnected
	}
	if len(attachments) == 0 {
		return s.Session().Send(engineio.Message{Data: text}, opts)
	}
	return s.Session().SendAll(messages(text, attachments), opts)
}
