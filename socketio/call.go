package socketio

import (
	"context"

	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A call waits for the acknowledgement of a client.
type call struct {
	socket *Socket
	answer chan answer // takes one
}

type answer struct {
	packet parser.Packet
	err    error
}

// Call emits an event and waits for its acknowledgement, whose arguments it returns. It fails like Emit, with the
// cause of ctx, with a *CloseError when the socket ends first, and with ErrBusy when so many events of the client wait for
// their handlers that its answer cannot be read. Handlers may call it, also on their own socket. Give ctx a
// timeout: a client need not answer.
func (s *Socket) Call(ctx context.Context, event string, args ...any) (*Args, error) {
	c := &call{socket: s, answer: make(chan answer, 1)}
	id, err := s.worker.conn.register(c)
	if err != nil {
		return nil, err
	}
	defer s.worker.conn.forget(id)
	if err := s.emit(0, event, args, id, true); err != nil {
		return nil, err
	}
	select {
	case a := <-c.answer:
		if a.err != nil {
			return nil, a.err
		}
		return &Args{socket: s, packet: a.packet}, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Call is Socket.Call for an answer of one value. Out stays zero when the answer is empty; an answer that is no Out
// is an error.
func Call[Out any](ctx context.Context, s *Socket, event string, args ...any) (out Out, err error) {
	a, err := s.Call(ctx, event, args...)
	if err == nil {
		err = a.Scan(&out)
	}
	return out, err
}

// register gives a call its id.
func (c *conn) register(of *call) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if of.socket.why != nil {
		return 0, of.socket.why
	}
	if c.blocked > 0 {
		return 0, ErrBusy
	}
	if c.calls == nil {
		c.calls = make(map[uint64]*call)
	}
	c.lastID++
	c.calls[c.lastID] = of
	return c.lastID, nil
}

func (c *conn) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.calls, id)
	if len(c.calls) == 0 {
		c.calls = nil
	}
}

// answer gives a call its acknowledgement. One that nobody waits for any more is dropped.
func (c *conn) answer(s *Socket, p parser.Packet) {
	c.mu.Lock()
	defer c.mu.Unlock()
	of := c.calls[p.ID]
	if !p.HasID || of == nil || of.socket != s {
		return
	}
	delete(c.calls, p.ID)
	of.answer <- answer{packet: p}
}

// block says that the reader waits, or no longer. While it does no acknowledgement can come, so calls fail.
func (c *conn) block(waits bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !waits {
		c.blocked = 0
		return
	}
	c.blocked = 1
	c.failCalls(nil, ErrBusy)
}

// failCalls ends the calls of s, or of all sockets. The caller holds c.mu.
func (c *conn) failCalls(s *Socket, err error) {
	for id, of := range c.calls {
		if s == nil || of.socket == s {
			delete(c.calls, id)
			of.answer <- answer{err: err}
		}
	}
}
