package engineio_test

import (
	"bytes"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A ledger is a stack on fasthttp that keeps account of what is done to its connections.
type ledger struct {
	net.Listener
	mu      sync.Mutex
	entries []*entry
}

// An entry is one connection of the server's.
type entry struct {
	net.Conn
	webSocket atomic.Bool  // a 101 was written
	calls     atomic.Int32 // under way
	closes    atomic.Int32
	during    atomic.Int32 // calls that were under way at the first Close
	after     atomic.Int32 // calls after it
}

// stack serves with fasthttp set as s says, and checks the ledger when the test ends.
func (l *ledger) stack(s *fasthttp.Server) stack {
	return stack{"ledger", func(t *testing.T, srv *engineio.Server, _ enginetest.Options) *enginetest.Server {
		t.Helper()
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		l.Listener = ln
		s.Handler = srv.Handler(nil)
		s.MaxIdleWorkerDuration = 100 * time.Millisecond // its janitor sleeps that long after the end
		s.Logger = silent{}
		served := make(chan error, 1)
		go func() { served <- s.Serve(l) }()
		t.Cleanup(func() {
			eventually(t, "all connections are closed", func() bool { return l.open() == 0 })
			_ = s.Shutdown()
			if err := <-served; err != nil {
				t.Error(err)
			}
			l.check(t)
		})
		return &enginetest.Server{Addr: ln.Addr().String(), Shutdown: s.Shutdown}
	}}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

// Accept enters a connection.
func (l *ledger) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	e := &entry{Conn: c}
	l.mu.Lock()
	l.entries = append(l.entries, e)
	l.mu.Unlock()
	return e, nil
}

// open is how many connections are not closed.
func (l *ledger) open() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range l.entries {
		if e.closes.Load() == 0 {
			n++
		}
	}
	return n
}

// check fails unless every WebSocket was closed once, when nobody used it, and not used after.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	webSockets := 0
	for _, e := range l.entries {
		if !e.webSocket.Load() {
			continue
		}
		webSockets++
		if e.closes.Load() != 1 || e.during.Load() != 0 || e.after.Load() != 0 {
			t.Errorf("WebSocket %d was closed %d times, with %d calls under way and %d to come",
				webSockets, e.closes.Load(), e.during.Load(), e.after.Load())
		}
	}
	if webSockets == 0 {
		t.Error("there were no WebSockets")
	}
}

// use notes a call, and returns its end.
func (e *entry) use() func() {
	e.calls.Add(1)
	if e.closes.Load() > 0 {
		e.after.Add(1)
	}
	return func() { e.calls.Add(-1) }
}

func (e *entry) Read(b []byte) (int, error) {
	defer e.use()()
	return e.Conn.Read(b)
}

func (e *entry) Write(b []byte) (int, error) {
	defer e.use()()
	if bytes.HasPrefix(b, []byte("HTTP/1.1 101 ")) {
		e.webSocket.Store(true)
	}
	return e.Conn.Write(b)
}

func (e *entry) SetDeadline(at time.Time) error {
	defer e.use()()
	return e.Conn.SetDeadline(at)
}

func (e *entry) SetReadDeadline(at time.Time) error {
	defer e.use()()
	return e.Conn.SetReadDeadline(at)
}

func (e *entry) SetWriteDeadline(at time.Time) error {
	defer e.use()()
	return e.Conn.SetWriteDeadline(at)
}

// CloseWrite is what a *net.TCPConn has.
func (e *entry) CloseWrite() error {
	defer e.use()()
	return e.Conn.(*net.TCPConn).CloseWrite()
}

func (e *entry) Close() error {
	if e.closes.Add(1) == 1 {
		e.during.Store(e.calls.Load())
	}
	return e.Conn.Close()
}
