// Package server is the process that soak measures: an engine that does nothing of its own accord,
// and obeys calls that come over its standard input.
package server

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// A Server is what Run serves calls to.
type Server struct {
	plan   Plan
	engine *engineio.Server
	closed closed
	failed chan error
}

// A Plan is what a program that calls Run brings along.
type Plan struct {
	// Stack mounts the engine and serves it.
	Stack func(engine *engineio.Server, tuned bool, ln net.Listener) error
	// Broadcast sends to all sessions. Default: the engine's.
	Broadcast func(engine *engineio.Server, p *engineio.PreparedMessage)
}

// Settings are those of one run.
type Settings struct {
	Tuned                     bool
	Sessions                  int // that will be open at once
	PingInterval, PingTimeout time.Duration
}

// Start makes the engine and listens; addr is where.
func (s *Server) Start(settings Settings, addr *string) error {
	if s.engine != nil {
		return errors.New("started twice")
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.engine = engineio.New(engineio.Config{
		PingInterval: settings.PingInterval,
		PingTimeout:  settings.PingTimeout,
		MaxSessions:  settings.Sessions,
		OnDisconnect: func(_ *engineio.Session, why *engineio.CloseError) { s.closed.add(why.Reason.String(), why.Err) },
		OnRequestRefused: func(_ *fasthttp.RequestCtx, _ netip.AddrPort, e *engineio.RequestError) {
			s.closed.add("refused", e)
		},
	})
	go func() { s.failed <- s.plan.Stack(s.engine, settings.Tuned, ln) }()
	*addr = ln.Addr().String()
	return nil
}

// Broadcast sends a text to all sessions; took is how long the engine's call did.
func (s *Server) Broadcast(text string, took *time.Duration) error {
	send := s.plan.Broadcast
	if send == nil {
		send = (*engineio.Server).Broadcast
	}
	start := time.Now()
	send(s.engine, engineio.PrepareText(text))
	*took = time.Since(start)
	return nil
}

// State is what a server knows of itself.
type State struct {
	Sessions, Goroutines int
	Closed               map[string]int64 // sessions that ended, by reason; and "refused" requests
	Errors               []string         // the first few of these, but for those that clients ended in good order
}

// State tells it.
func (s *Server) State(_ struct{}, state *State) error {
	state.Sessions, state.Goroutines = s.engine.Len(), runtime.NumGoroutine()
	state.Closed, state.Errors = s.closed.read()
	return nil
}

// Collect collects garbage and gives memory back to the system.
func (s *Server) Collect(_ struct{}, _ *struct{}) error {
	debug.FreeOSMemory()
	return nil
}
