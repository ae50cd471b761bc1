package socketio

import (
	"errors"
	"fmt"
	"iter"
	"strconv"
	"sync"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A Namespace is a part of the application with sockets, events and rooms of its own. Its handlers are set before the first
// client comes, and run as the package's documentation says. A panic in one ends its socket, with
// ReasonServerDisconnect.
type Namespace struct {
	srv  *Server
	name string

	use          []func(*Socket) error
	onConnect    func(*Socket)
	onDisconnect func(*Socket, Reason)
	onAny        func(*Socket, string, *Args)
	on           map[string]func(*Socket, *Args)

	mu      sync.RWMutex // a leaf
	sockets map[string]*Socket
	rooms   map[string][]*Socket
}

func newNamespace(srv *Server, name string) *Namespace {
	return &Namespace{
		srv: srv, name: name,
		on: make(map[string]func(*Socket, *Args)), sockets: make(map[string]*Socket), rooms: make(map[string][]*Socket),
	}
}

// Name is the name, "/" for the main namespace.
func (n *Namespace) Name() string { return n.name }

// Use adds a middleware: it decides whether a client may connect, those added first being asked first. An
// error refuses it; a *ConnectError says what the client is told. Rooms may be joined; sends fail.
func (n *Namespace) Use(f func(*Socket) error) {
	n.srv.setup("Use")
	n.use = append(n.use, f)
}

// OnConnect sets what runs once for each socket that has connected.
func (n *Namespace) OnConnect(f func(*Socket)) {
	n.srv.setup("OnConnect")
	set(&n.onConnect, f, "OnConnect")
}

// OnDisconnect sets what runs once for each socket that OnConnect was due for, as its last handler. The socket is in its
// rooms until it returns, and is sent nothing any more.
func (n *Namespace) OnDisconnect(f func(*Socket, Reason)) {
	n.srv.setup("OnDisconnect")
	set(&n.onDisconnect, f, "OnDisconnect")
}

// OnAny sets what runs for every event, before its own handler.
func (n *Namespace) OnAny(f func(s *Socket, event string, args *Args)) {
	n.srv.setup("OnAny")
	set(&n.onAny, f, "OnAny")
}

// On sets the handler of an event. It panics when there is one, and for a reserved name.
func (n *Namespace) On(event string, f func(*Socket, *Args)) {
	n.srv.setup("On")
	if parser.IsReserved(event) {
		panic(fmt.Sprintf("socketio: On(%q): %v: use OnConnect and OnDisconnect", event, ErrReserved))
	}
	if n.on[event] != nil {
		panic(fmt.Sprintf("socketio: On(%q): there is a handler already", event))
	}
	n.on[event] = f
}

// set is for handlers of which there is one.
func set[F func(*Socket) | func(*Socket, Reason) | func(*Socket, string, *Args)](to *F, f F, name string) {
	if *to != nil {
		panic("socketio: " + name + ": there is a handler already")
	}
	*to = f
}

// On sets a handler for an event with one argument, which is read as by json.Unmarshal. Without an argument it is a zero
// T. One that is no T is answered {"error": "invalid argument"} where an answer is asked for, and not handled.
func On[T any](n *Namespace, event string, f func(*Socket, T)) {
	n.On(event, func(s *Socket, args *Args) {
		var v T
		if s.scan(event, args, &v) {
			f(s, v)
		}
	})
}

// Handle is On for an event that is answered: by Out, or by {"error": message} for an error, whose
// message is that of an *Error, and "internal error" for any other.
func Handle[In, Out any](n *Namespace, event string, f func(*Socket, In) (Out, error)) {
	n.On(event, func(s *Socket, args *Args) {
		var in In
		if !s.scan(event, args, &in) {
			return
		}
		out, err := f(s, in)
		if err != nil {
			s.fault(event, args, err)
			return
		}
		if args.WantsAck() {
			if err := args.Ack(out); err != nil && !errors.Is(err, ErrClosed) {
				s.fault(event, args, err)
			}
		}
	})
}

// scan reads the argument of an event.
func (s *Socket) scan(event string, args *Args, v any) bool {
	err := args.Scan(v)
	if err != nil {
		s.fault(event, args, fmt.Errorf("%w: %w", &Error{"invalid argument"}, err))
	}
	return err == nil
}

// fault tells the client of an error, as far as it is its concern.
func (s *Socket) fault(event string, args *Args, err error) {
	s.namespace.srv.log.Debug("socketio: event failed", "namespace", s.namespace.name, "socket", s.id, "event", event, "err", err)
	message := "internal error"
	var known *Error
	if errors.As(err, &known) && known != nil {
		message = known.Message
	}
	if args.WantsAck() {
		_ = args.Ack(map[string]any{"error": message})
	}
}

// Sockets walks over the sockets of the namespace, in no order and under no lock: those there were when the
// walk began.
func (n *Namespace) Sockets() iter.Seq[*Socket] { return n.all().Sockets() }

// Socket finds a socket by its id.
func (n *Namespace) Socket(id string) (*Socket, bool) {
	n.mu.RLock()
	defer n.mu.RUnlock()
	s, ok := n.sockets[id]
	return s, ok
}

// Len is the number of sockets.
func (n *Namespace) Len() int {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return len(n.sockets)
}

// To is the sockets in any of the rooms. A socket's id is a room. No rooms are nobody.
func (n *Namespace) To(rooms ...string) Target { return Target{namespace: n}.To(rooms...) }

// Except is all sockets but those in the rooms.
func (n *Namespace) Except(rooms ...string) Target { return n.all().Except(rooms...) }

// With is all sockets, with options for the sends.
func (n *Namespace) With(opts ...engineio.SendOption) Target { return n.all().With(opts...) }

// Emit sends an event to all sockets: see Target.Emit.
func (n *Namespace) Emit(event string, args ...any) error { return n.all().Emit(event, args...) }

func (n *Namespace) all() Target { return Target{namespace: n, everybody: true} }

// encode makes the packet of an event.
func (n *Namespace) encode(event string, args []any, id uint64, hasID bool) (text []byte, attachments [][]byte, err error) {
	if parser.IsReserved(event) {
		return nil, nil, fmt.Errorf("%w: %s", ErrReserved, event)
	}
	body, attachments, err := n.srv.encoder.AppendEvent(make([]byte, 0, 64), event, args)
	if err != nil {
		return nil, nil, err
	}
	text = parser.AppendHead(make([]byte, 0, len(body)+len(n.name)+16), parser.Event, len(attachments), n.name)
	if hasID {
		text = strconv.AppendUint(text, id, 10)
	}
	return append(text, body...), attachments, nil
}
