package engineio_test

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A stack is an HTTP server that the engine can be mounted in.
type stack struct {
	name  string
	start func(*testing.T, *engineio.Server, enginetest.Options) *enginetest.Server
}

var onFasthttp = stack{"fasthttp", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
	return enginetest.Start(t, srv.Handler(nil), o)
}}

var onFiber = stack{"fiber", func(t *testing.T, srv *engineio.Server, o enginetest.Options) *enginetest.Server {
	return enginetest.StartFiber(t, func(app *fiber.App) { app.Use(eiofiber.New(srv)) }, o)
}}

var stacks = []stack{onFasthttp, onFiber}

// An engine is a Server that is served, and keeps account of its sessions.
type engine struct {
	*engineio.Server
	http *enginetest.Server

	mu   sync.Mutex
	open map[*engineio.Session]bool
	ends chan ending // every OnDisconnect
}

// An ending is what OnDisconnect was told.
type ending struct {
	s      *engineio.Session
	reason engineio.Reason
	err    error
}

// serve starts an engine on a stack. Without OnMessage it echoes. When the test ends, after its clients
// are gone, no session may be left, and every one must have been told of its end.
func serve(t *testing.T, on stack, config engineio.Config, options ...enginetest.Options) *engine {
	t.Helper()
	e := &engine{open: make(map[*engineio.Session]bool), ends: make(chan ending, 4096)}
	e.Server = engineio.New(e.account(t, config))
	var o enginetest.Options
	if len(options) > 0 {
		o = options[0]
	}
	e.http = on.start(t, e.Server, o)
	t.Cleanup(func() { e.settle(t) })
	return e
}

// account wraps the callbacks of config.
func (e *engine) account(t *testing.T, config engineio.Config) engineio.Config {
	connect, disconnect := config.OnConnect, config.OnDisconnect
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	if config.OnMessage == nil {
		config.OnMessage = echo
	}
	config.OnConnect = func(s *engineio.Session) {
		e.mu.Lock()
		e.open[s] = true
		e.mu.Unlock()
		if connect != nil {
			connect(s)
		}
	}
	config.OnDisconnect = func(s *engineio.Session, why *engineio.CloseError) {
		e.mu.Lock()
		if !e.open[s] {
			t.Errorf("OnDisconnect of %s (%v) without OnConnect, or twice", s.ID(), why.Reason)
		}
		delete(e.open, s)
		e.mu.Unlock()
		if disconnect != nil {
			disconnect(s, why)
		}
		select {
		case e.ends <- ending{s, why.Reason, why.Err}:
		default: // nobody wants to know
		}
	}
	return config
}

func echo(s *engineio.Session, m engineio.Message) {
	if m.Binary {
		_ = s.SendBinary(m.Data)
	} else {
		_ = s.SendText(string(m.Data))
	}
}

// settle ends what is left and checks that nothing is.
func (e *engine) settle(t *testing.T) {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = e.Shutdown(now) // drops what nobody will fetch
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	if err := e.Shutdown(ctx); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	eventually(t, "no session is left", func() bool { return e.Places() == 0 })
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.open {
		t.Errorf("session %s was never told of its end", s.ID())
	}
}

// session is the server's side of a client.
func (e *engine) session(t *testing.T, c enginetest.Client) *engineio.Session {
	t.Helper()
	s, ok := e.Session(c.Handshake().SID)
	if !ok {
		t.Fatalf("no session %q", c.Handshake().SID)
	}
	return s
}

// ended waits for the next OnDisconnect and checks its reason.
func (e *engine) ended(t *testing.T, want engineio.Reason) ending {
	t.Helper()
	select {
	case end := <-e.ends:
		if end.reason != want {
			t.Errorf("ended with %v (%v), want %v", end.reason, end.err, want)
		}
		return end
	case <-time.After(enginetest.Patience):
		t.Fatalf("no session ends, want %v", want)
		return ending{}
	}
}

// connect connects a client, and waits for the end of its upgrade.
func (e *engine) connect(t *testing.T, setup enginetest.Setup) enginetest.Client {
	t.Helper()
	c := enginetest.Connect(t, e.http, setup)
	if setup.Way == enginetest.ByUpgrade {
		s := e.session(t, c)
		eventually(t, "upgraded", func() bool { return s.Transport() == engineio.WebSocket })
	}
	return c
}

func (e *engine) polling(t *testing.T, setup enginetest.Setup) *enginetest.Polling {
	t.Helper()
	setup.Way = enginetest.ByPolling
	return e.connect(t, setup).(*enginetest.Polling)
}

func (e *engine) webSocket(t *testing.T, setup enginetest.Setup) *enginetest.WebSocket {
	t.Helper()
	setup.Way = enginetest.ByWebSocket
	return e.connect(t, setup).(*enginetest.WebSocket)
}

// bystander connects a client of each way, and returns a check that nothing has happened to them.
func (e *engine) bystander(t *testing.T) (check func()) {
	t.Helper()
	var clients []enginetest.Client
	for _, way := range enginetest.Ways {
		clients = append(clients, e.connect(t, enginetest.Setup{Way: way}))
	}
	return func() {
		t.Helper()
		for _, c := range clients {
			alive(t, c)
		}
	}
}

// alive checks that a client of an echo server is answered.
func alive(t *testing.T, c enginetest.Client) {
	t.Helper()
	if err := c.Send(enginetest.Text("alive?")); err != nil {
		t.Fatalf("send: %v", err)
	}
	expect(t, c, enginetest.Text("alive?"))
}

// expect checks the next packets of a client.
func expect(t *testing.T, c enginetest.Client, want ...codec.Packet) {
	t.Helper()
	for i, w := range want {
		p, err := enginetest.Next(c)
		if err != nil {
			t.Fatalf("packet %d of %d: %v", i, len(want), err)
		}
		if p.Type != w.Type || p.Binary != w.Binary || string(p.Data) != string(w.Data) {
			t.Fatalf("packet %d of %d is %v (binary %v, %d bytes) %.60q, want %v (binary %v, %d bytes) %.60q",
				i, len(want), p.Type, p.Binary, len(p.Data), p.Data, w.Type, w.Binary, len(w.Data), w.Data)
		}
	}
}

// eventually waits until f holds.
func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(enginetest.Patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// eachStack runs f on both stacks at once.
func eachStack(t *testing.T, f func(t *testing.T, on stack)) {
	t.Parallel()
	for _, on := range stacks {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			f(t, on)
		})
	}
}

// eachKind runs f for every way and revision, on both stacks.
func eachKind(t *testing.T, f func(t *testing.T, on stack, setup enginetest.Setup)) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, way := range enginetest.Ways {
			for _, revision := range enginetest.Revisions {
				t.Run(string(way)+"/"+string('0'+rune(revision)), func(t *testing.T) {
					f(t, on, enginetest.Setup{Way: way, Revision: revision})
				})
			}
		}
	})
}

// eachWebSocket runs f for a client on WebSocket and one that was upgraded, on both stacks, next to bystanders.
func eachWebSocket(t *testing.T, name string, revision engineio.Revision, f func(*testing.T, *engine, *enginetest.WebSocket)) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		eachStack(t, func(t *testing.T, on stack) {
			for _, way := range enginetest.Ways[1:] {
				t.Run(string(way), func(t *testing.T) {
					e := serve(t, on, engineio.Config{})
					check := e.bystander(t)
					f(t, e, e.connect(t, enginetest.Setup{Way: way, Revision: revision}).(*enginetest.WebSocket))
					check()
				})
			}
		})
	})
}
