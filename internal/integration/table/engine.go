package table

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// An engine is one that is served at a place, and keeps account of its sessions.
type engine struct {
	*Site
	*testing.T

	requests atomic.Int64 // of which the HTTP server has read the header

	mu   sync.Mutex
	open map[*engineio.Session]bool
	ends chan ending // every OnDisconnect
}

// An ending is what OnDisconnect was told.
type ending struct {
	reason engineio.Reason
	err    error
}

// serve starts an engine, which echoes if it has no OnMessage. When the test ends, after its clients are gone, no
// session may be left, and every one must have been told of its end exactly once.
func (at place) serve(t *testing.T, config engineio.Config) *engine {
	t.Helper()
	e := &engine{T: t, open: make(map[*engineio.Session]bool), ends: make(chan ending, 64)}
	connect := config.OnConnect
	config.OnConnect = func(s *engineio.Session) {
		e.connected(s)
		if connect != nil {
			connect(s)
		}
	}
	config.OnDisconnect = e.disconnected
	if config.OnMessage == nil {
		config.OnMessage = echo
	}
	config.Logger = slog.New(slog.DiscardHandler)
	e.Site = at.stack.Start(t, config, at.setting.with(func(s *fasthttp.Server) {
		before := s.HeaderReceived
		s.HeaderReceived = func(h *fasthttp.RequestHeader) (c fasthttp.RequestConfig) {
			e.requests.Add(1)
			if before != nil {
				c = before(h)
			}
			return c
		}
	}))
	t.Cleanup(e.settle)
	return e
}

func echo(s *engineio.Session, m engineio.Message) {
	if m.Binary {
		_ = s.SendBinary(m.Data)
	} else {
		_ = s.SendText(string(m.Data))
	}
}

func (e *engine) connected(s *engineio.Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open[s] = true
}

func (e *engine) disconnected(s *engineio.Session, why *engineio.CloseError) {
	e.mu.Lock()
	if !e.open[s] {
		e.Errorf("OnDisconnect of %s (%v) without OnConnect, or twice", s.ID(), why.Reason)
	}
	delete(e.open, s)
	e.mu.Unlock()
	select {
	case e.ends <- ending{why.Reason, why.Err}:
	default: // nobody wants to know
	}
}

// settle ends what is left and checks that nothing is.
func (e *engine) settle() {
	now, cancel := context.WithCancel(context.Background())
	cancel()
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	for _, srv := range e.Servers {
		_ = srv.Shutdown(now) // drops what nobody will fetch
		if err := srv.Shutdown(ctx); err != nil {
			e.Errorf("Shutdown: %v", err)
		}
	}
	e.empties()
	e.mu.Lock()
	defer e.mu.Unlock()
	for s := range e.open {
		e.Errorf("session %s was never told of its end", s.ID())
	}
}

// empties waits until there are no sessions.
func (e *engine) empties() {
	e.Helper()
	e.eventually("no session is left", func() bool {
		n := 0
		for _, srv := range e.Servers {
			n += srv.Len()
		}
		return n == 0
	})
}

// eventually waits until f holds.
func (e *engine) eventually(what string, f func() bool) {
	e.Helper()
	for deadline := time.Now().Add(enginetest.Patience); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			e.Fatalf("never: %s", what)
		}
	}
}

// ended waits for the next OnDisconnect and checks its reason.
func (e *engine) ended(want engineio.Reason) {
	e.Helper()
	select {
	case end := <-e.ends:
		if end.reason != want {
			e.Errorf("ended with %v (%v), want %v", end.reason, end.err, want)
		}
	case <-time.After(enginetest.Patience):
		e.Fatalf("no session ends, want %v", want)
	}
}

// session is the server's side of a client.
func (e *engine) session(c enginetest.Client) *engineio.Session {
	e.Helper()
	for _, srv := range e.Servers {
		if s, ok := srv.Session(c.Handshake().SID); ok {
			return s
		}
	}
	e.Fatalf("no session %q", c.Handshake().SID)
	return nil
}

// connect connects a client, and waits for the end of its upgrade.
func (e *engine) connect(setup enginetest.Setup) enginetest.Client {
	e.Helper()
	c := enginetest.Connect(e, e.HTTP, setup)
	if setup.Way == enginetest.ByUpgrade {
		s := e.session(c)
		e.eventually("upgraded", func() bool { return s.Transport() == engineio.WebSocket })
	}
	return c
}

func (e *engine) polling(setup enginetest.Setup) *enginetest.Polling {
	e.Helper()
	setup.Way = enginetest.ByPolling
	return e.connect(setup).(*enginetest.Polling)
}

func (e *engine) webSocket(setup enginetest.Setup) *enginetest.WebSocket {
	e.Helper()
	setup.Way = enginetest.ByWebSocket
	return e.connect(setup).(*enginetest.WebSocket)
}

// do makes one request on a connection of its own.
func (e *engine) do(method, target string, body []byte, header ...string) *enginetest.Response {
	e.Helper()
	h := e.HTTP.HTTP()
	defer h.Close()
	r, err := h.Do(method, target, body, header...)
	if err != nil {
		e.Fatalf("%s %s: %v", method, target, err)
	}
	return r
}

// send sends, which must succeed.
func (e *engine) send(c enginetest.Client, packets ...codec.Packet) {
	e.Helper()
	if err := c.Send(packets...); err != nil {
		e.Fatalf("send: %v", err)
	}
}

// expect checks the next packets of a client.
func (e *engine) expect(c enginetest.Client, want ...codec.Packet) {
	e.Helper()
	for i, w := range want {
		p, err := enginetest.Next(c)
		if err != nil {
			e.Fatalf("packet %d of %d: %v", i+1, len(want), err)
		}
		if p.Type != w.Type || p.Binary != w.Binary || string(p.Data) != string(w.Data) {
			e.Fatalf("packet %d of %d is %v (binary %v, %d bytes) %.60q, want %v (binary %v, %d bytes) %.60q",
				i+1, len(want), p.Type, p.Binary, len(p.Data), p.Data, w.Type, w.Binary, len(w.Data), w.Data)
		}
	}
}

// alive checks that a client is echoed.
func (e *engine) alive(c enginetest.Client) {
	e.Helper()
	e.send(c, enginetest.Text("alive?"))
	e.expect(c, enginetest.Text("alive?"))
}

// startPoll sends a GET and does not wait for its answer.
func (e *engine) startPoll(p *enginetest.Polling) {
	e.Helper()
	if err := p.Get.Write(e.HTTP.Request("GET", p.URI(), nil)); err != nil {
		e.Fatal(err)
	}
}

// answered reads the answer to that.
func (e *engine) answered(p *enginetest.Polling) *enginetest.Response {
	e.Helper()
	r, err := p.Get.Read("GET")
	if err != nil {
		e.Fatal(err)
	}
	return r
}
