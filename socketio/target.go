package socketio

import (
	"errors"
	"iter"
	"slices"

	"github.com/fasteio/engineio"
)

// A Target is sockets of a namespace: those in any of its rooms, but for those in rooms that are excepted. It is a
// value: its methods return another and leave it as it is. Who is in it is decided at each use.
type Target struct {
	namespace     *Namespace
	everybody     bool
	rooms, except []string
	but           *Socket
	opts          engineio.SendOption
}

// To adds the sockets in rooms. A Target of all sockets stays one of all.
func (t Target) To(rooms ...string) Target {
	t.rooms = slices.Concat(t.rooms, rooms)
	return t
}

// Except leaves out the sockets in rooms.
func (t Target) Except(rooms ...string) Target {
	t.except = slices.Concat(t.except, rooms)
	return t
}

// With adds options to the sends, such as engineio.Volatile.
func (t Target) With(opts ...engineio.SendOption) Target {
	for _, o := range opts {
		t.opts |= o
	}
	return t
}

func (t Target) without(s *Socket) Target {
	t.but = s
	return t
}

// Emit sends an event to the sockets, to each once, encoded once. It waits for none. It fails like Socket.Emit for what
// is wrong with the event; what becomes of a client that is slow Config.Engine.Overflow says, as with
// engineio.Server.Broadcast: by default its session ends.
func (t Target) Emit(event string, args ...any) error {
	text, attachments, err := t.namespace.encode(event, args, 0, false)
	if err != nil {
		return err
	}
	t.deliver(engineio.PrepareAll(messages(text, attachments), t.opts))
	return nil
}

// deliver sends a packet to the sockets. Every packet for more than one socket leaves here.
func (t Target) deliver(p *engineio.PreparedMessage) {
	for _, s := range t.list() {
		if err := s.Session().SendPrepared(p); errors.Is(err, engineio.ErrQueueFull) {
			s.worker.conn.blame(ReasonForcedClose, err) // nobody is told, so the client must be
			s.Session().CloseNow()
		}
	}
}

// Sockets walks over the sockets, in no order and under no lock: those there were when the walk began.
func (t Target) Sockets() iter.Seq[*Socket] {
	return func(yield func(*Socket) bool) {
		for _, s := range t.list() {
			if !yield(s) {
				return
			}
		}
	}
}

// Join puts the sockets into rooms. Those for which it fails, see Socket.Join, stay out.
func (t Target) Join(rooms ...string) {
	for _, s := range t.list() {
		_ = s.Join(rooms...)
	}
}

// Leave takes the sockets out of rooms.
func (t Target) Leave(rooms ...string) {
	for _, s := range t.list() {
		s.Leave(rooms...)
	}
}

// Disconnect ends the sockets, like Socket.Disconnect.
func (t Target) Disconnect(closeSession bool) {
	for _, s := range t.list() {
		s.Disconnect(closeSession)
	}
}

// list are the sockets that are connected now, each once.
func (t Target) list() (list []*Socket) {
	n := t.namespace
	n.mu.RLock()
	defer n.mu.RUnlock()
	if t.everybody {
		list = make([]*Socket, 0, len(n.sockets))
		for _, s := range n.sockets {
			list = t.add(list, s)
		}
		return list
	}
	var seen map[*Socket]bool
	if len(t.rooms) > 1 {
		seen = make(map[*Socket]bool)
	}
	for _, room := range t.rooms {
		if s := n.sockets[room]; s != nil && !seen[s] {
			list = t.add(list, s)
			if seen != nil {
				seen[s] = true
			}
		}
		members := n.rooms[room]
		list = slices.Grow(list, len(members))
		for _, s := range members {
			if seen[s] || s.id == room {
				continue
			}
			list = t.add(list, s)
			if seen != nil {
				seen[s] = true
			}
		}
	}
	return list
}

// add adds a socket that is connected and not excepted. The caller holds namespace.mu.
func (t Target) add(list []*Socket, s *Socket) []*Socket {
	if s == t.but || !s.in.Load() {
		return list
	}
	for _, room := range t.except {
		if _, in := s.rooms[room]; in || room == s.id {
			return list
		}
	}
	return append(list, s)
}
