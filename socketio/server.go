package socketio

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"unicode/utf8"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio/internal/parser"
)

// A Server holds namespaces and the sockets in them. It is made by New, mounted and ended by its Engine.
type Server struct {
	config  Config
	engine  *engineio.Server
	encoder parser.Encoder
	log     *slog.Logger
	conns   *engineio.Key[*conn]
	serving atomic.Bool // namespaces and handlers are fixed

	mu         sync.Mutex
	namespaces map[string]*Namespace
}

// New makes a Server. It panics on a Config that makes no sense.
func New(config Config) *Server {
	srv := &Server{
		config:     config.withDefaults(),
		conns:      engineio.NewKey[*conn]("socketio"),
		namespaces: make(map[string]*Namespace),
	}
	srv.encoder.Marshal = config.Engine.MarshalJSON
	engine := srv.config.Engine
	engine.OnConnect = srv.open
	engine.OnMessage = srv.receive
	engine.OnDisconnect = srv.end
	srv.engine = engineio.New(engine)
	srv.config.Engine = srv.engine.Config()
	srv.log = srv.config.Engine.Logger
	srv.Of("/")
	return srv
}

// Engine is the engine below: mount it with its Handler or the Fiber middleware, end it by its Shutdown or Drain, which
// wait for the handlers of this Server too.
func (srv *Server) Engine() *engineio.Server { return srv.engine }

// Of returns the namespace of a name, and makes it first if need be. A name begins with "/" and has no comma, no "?" and
// no control characters. Namespaces and their handlers are set before the first client comes: after it Of panics for
// a new name, and so do On, OnConnect and the like.
func (srv *Server) Of(name string) *Namespace {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if n := srv.namespaces[name]; n != nil {
		return n
	}
	if !strings.HasPrefix(name, "/") || strings.ContainsAny(name, ",?") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' }) ||
		!utf8.ValidString(name) {
		panic(fmt.Sprintf("socketio: Of(%q): a namespace begins with / and has no comma, no ? and no control characters", name))
	}
	srv.setup("Of")
	n := newNamespace(srv, name)
	srv.namespaces[name] = n
	return n
}

// setup panics when a client has come already.
func (srv *Server) setup(what string) {
	if srv.serving.Load() {
		panic("socketio: " + what + " comes after the first client")
	}
}

// namespace is the one of that name, or nil.
func (srv *Server) namespace(name string) *Namespace {
	return srv.namespaces[name] // fixed by now
}

func (srv *Server) open(s *engineio.Session) {
	if !srv.serving.Load() {
		srv.mu.Lock() // an Of under way
		srv.serving.Store(true)
		srv.mu.Unlock()
	}
	srv.conns.Set(s, newConn(srv, s))
}

func (srv *Server) receive(s *engineio.Session, m engineio.Message) {
	srv.conns.Value(s).receive(m)
}

func (srv *Server) end(s *engineio.Session, why *engineio.CloseError) {
	srv.conns.Value(s).end(reasonOf(why.Reason), why.Err)
}
