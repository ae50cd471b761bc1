package socketio

import (
	"errors"

	"github.com/fasteio/engineio/socketio/internal/parser"
)

// What is here runs on the worker of a socket.

// enter makes a socket connected, if the middleware lets it.
func (n *Namespace) enter(s *Socket) {
	err := n.ask(s)
	if why := s.reason(); err == nil && why != nil { // it was disconnected meanwhile
		err = why
	}
	if err != nil {
		n.forget(s)
		n.srv.log.Debug("socketio: socket refused", "namespace", n.name, "socket", s.id, "err", err)
		s.worker.refuse(s) // before the client can know, who may ask again
		_ = s.worker.conn.send(parser.ConnectError, n.name, n.refusal(err))
		return
	}
	conn := s.worker.conn
	conn.timer.Stop()
	if !s.worker.admit(s) {
		n.forget(s)
		return // the session has ended
	}
	_ = conn.send(parser.Connect, n.name, append(append([]byte(`{"sid":"`), s.id...), `"}`...))
	n.add(s)
	if why := s.reason(); why != nil && why.Reason == ReasonServerDisconnect { // so early that the client did not know it yet
		_ = conn.send(parser.Disconnect, n.name, nil)
	}
	if n.onConnect != nil {
		s.handle("OnConnect", func() { n.onConnect(s) })
	}
}

// ask asks the middleware.
func (n *Namespace) ask(s *Socket) (err error) {
	for _, f := range n.use {
		if failed := s.guard("middleware", func() { err = f(s) }); failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// refusal is what a client that was refused is told.
func (n *Namespace) refusal(err error) []byte {
	told := struct {
		Message string `json:"message"`
		Data    any    `json:"data,omitempty"`
	}{Message: "internal error"}
	var known *ConnectError
	if errors.As(err, &known) && known != nil {
		told.Message, told.Data = known.Message, known.Data
	}
	text, err := n.srv.encoder.Append(nil, told)
	if err != nil {
		n.srv.log.Error("socketio: ConnectError.Data is no JSON", "namespace", n.name, "err", err)
		return []byte(`{"message":"internal error"}`)
	}
	return text
}

// dispatch gives an event to its handlers. What has waited when the server ended the socket is dropped.
func (n *Namespace) dispatch(s *Socket, p parser.Packet) {
	if why := s.reason(); why != nil && why.Reason == ReasonServerDisconnect {
		return
	}
	name, ok := parser.EventName(p.Data)
	if !ok {
		return // there is no data at all
	}
	args := &Args{socket: s, packet: p, skip: 1}
	if n.onAny != nil {
		s.handle("OnAny", func() { n.onAny(s, name, args) })
	}
	if f := n.on[name]; f != nil {
		s.handle("the handler of "+name, func() { f(s, args) })
	}
}

// leave is the end of a socket that was connected.
func (n *Namespace) leave(s *Socket) {
	why := s.reason()
	if n.onDisconnect != nil {
		_ = s.guard("OnDisconnect", func() { n.onDisconnect(s, why.Reason) })
	}
	n.forget(s)
}

// handle runs a handler, and ends the socket when it panics.
func (s *Socket) handle(where string, handler func()) {
	if err := s.guard(where, handler); err != nil {
		s.disconnect(err)
	}
}
