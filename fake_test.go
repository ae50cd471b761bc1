package engineio

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// newTestServer is a Server that logs nothing unless told to.
func newTestServer(c Config) *Server {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return New(c)
}

// newTestSession is an admitted session that is not open yet.
func newTestSession(t testing.TB, srv *Server, rev Revision, via Transport) *Session {
	t.Helper()
	if err := srv.admit(netip.Addr{}); err != nil {
		t.Fatal(err)
	}
	return srv.newSession(netip.AddrPort{}, newID(), request{transport: via, revision: rev})
}

// openPolling is an open session on long-polling whose open packet has been fetched.
func openPolling(t testing.TB, srv *Server, rev Revision) *Session {
	t.Helper()
	s := newTestSession(t, srv, rev, Polling)
	s.connect(s.poll)
	if status, body := get(s); status != 200 || !strings.Contains(body, s.id) {
		t.Fatalf("the handshake is answered %d %q", status, body)
	}
	return s
}

// get is a GET of long-polling. It parks where there is no socket to watch, as in a test.
func get(s *Session) (status int, body string) {
	return ask(s, "GET", "")
}

func post(s *Session, payload string) (status int, body string) {
	return ask(s, "POST", payload)
}

func ask(s *Session, method, payload string) (status int, body string) {
	ctx := new(fasthttp.RequestCtx)
	ctx.Request.Header.SetMethod(method)
	ctx.Request.SetBodyString(payload)
	s.poll.serve(ctx, nil)
	return ctx.Response.StatusCode(), string(ctx.Response.Body())
}

// incoming is a request that no connection carries. Header lines are "Name: value".
func incoming(method, query string, header ...string) *fasthttp.RequestCtx {
	var req fasthttp.Request
	req.Header.SetMethod(method)
	req.SetRequestURI("/engine.io/?" + query)
	req.Header.SetHost("example.com")
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		req.Header.Add(name, value)
	}
	ctx := new(fasthttp.RequestCtx)
	ctx.Init(&req, nil, nil)
	return ctx
}

// visit is incoming with the answer of srv, which ends with the test. A handshake by WebSocket is
// not hijacked.
func visit(t testing.TB, srv *Server, method, query string, header ...string) *fasthttp.RequestCtx {
	t.Helper()
	ctx := incoming(method, query, header...)
	srv.ServeFastHTTP(ctx)
	t.Cleanup(func() { shut(srv) })
	return ctx
}

// shut ends srv and its sessions at once.
func shut(srv *Server) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = srv.Shutdown(ctx)
}

const (
	handshake4 = "EIO=4&transport=polling"
	handshake3 = "EIO=3&transport=polling"
	webSocket4 = "EIO=4&transport=websocket"
)

// upgradeHeader are the header lines of a WebSocket handshake.
var upgradeHeader = []string{
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// onlySession is the one that srv has.
func onlySession(t testing.TB, srv *Server) (s *Session) {
	t.Helper()
	n := 0
	for s = range srv.Sessions() {
		n++
	}
	if n != 1 {
		t.Fatalf("there are %d sessions, want one", n)
	}
	return s
}

// settled waits until every session of srv has ended and told so. OnDisconnect runs in a goroutine
// of its own: who looks at what it did, or at untold, waits here or, in a bubble, by synctest.Wait.
func settled(t testing.TB, srv *Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if srv.busy.wait(ctx) != nil {
		t.Fatalf("%d sessions have not told their end", untold(srv))
	}
}

// untold is how many sessions have not ended, or not told so yet.
func untold(srv *Server) int {
	srv.busy.mu.Lock()
	defer srv.busy.mu.Unlock()
	return srv.busy.n
}

// An entry is something that came at some time.
type entry struct {
	at   time.Duration
	what string
}

// A recorder is a transport that takes at once and notes what it got, and when.
type recorder struct {
	s     *Session
	start time.Time

	mu  sync.Mutex
	log []entry
}

func (r *recorder) send() { r.wake() }

func (r *recorder) wake() {
	taken, err := r.s.out.take(r)
	queue, n, last := taken.first, taken.packets, taken.closes
	if err != nil {
		return
	}
	r.note(texts(r.s.revision, queue)...)
	r.s.out.free(queue)
	r.s.out.finished(n, nil)
	if last {
		r.note("last word")
		r.s.terminate(0, nil)
	}
}

func (r *recorder) note(what ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, w := range what {
		r.log = append(r.log, entry{time.Since(r.start), w})
	}
}

// rest is what was noted since the last call.
func (r *recorder) rest() []entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	log := r.log
	r.log = nil
	return log
}

// openRecorded is an open session on WebSocket that a recorder carries. The open packet is taken.
func openRecorded(t testing.TB, srv *Server, rev Revision) (*Session, *recorder) {
	t.Helper()
	s := newTestSession(t, srv, rev, WebSocket)
	r := &recorder{s: s, start: time.Now()}
	s.connect(r)
	if log := r.rest(); len(log) != 1 || log[0].what[0] != '0' {
		t.Fatalf("first came %v, want the open packet", log)
	}
	return s, r
}

// texts are queued packets in their text form: "4hello", "bAQI=", "2".
func texts(rev Revision, c *chunk) (packets []string) {
	for ; c != nil; c = c.next {
		for frames := c.frames(); len(frames) > 0; {
			op, payload, rest := ws.Split(frames)
			packets = append(packets, string(codec.V4.AppendText(nil, unframe(rev, op, payload))))
			frames = rest
		}
	}
	return packets
}

func ping() codec.Packet { return codec.Packet{Type: codec.Ping} }

func text(s string) codec.Packet { return codec.Packet{Type: codec.Message, Data: []byte(s)} }

func blob(b []byte) codec.Packet { return codec.Packet{Type: codec.Message, Binary: true, Data: b} }

// reasonOf is why a session has ended, as its context tells.
func reasonOf(t testing.TB, s *Session) Reason {
	t.Helper()
	e, ok := context.Cause(s.Context()).(*CloseError)
	if !ok {
		t.Fatalf("the cause is %v, want a *CloseError", context.Cause(s.Context()))
	}
	return e.Reason
}

// A logbook is a slog.Handler that keeps the messages with their attributes.
type logbook struct {
	mu    sync.Mutex
	lines []string
}

func (b *logbook) Enabled(context.Context, slog.Level) bool { return true }
func (b *logbook) WithAttrs([]slog.Attr) slog.Handler       { return b }
func (b *logbook) WithGroup(string) slog.Handler            { return b }

func (b *logbook) Handle(_ context.Context, r slog.Record) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	line := r.Level.String() + " " + r.Message
	r.Attrs(func(a slog.Attr) bool { line += " " + a.String(); return true })
	b.lines = append(b.lines, line)
	return nil
}

// count is how many lines contain what.
func (b *logbook) count(what string) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, line := range b.lines {
		if strings.Contains(line, what) {
			n++
		}
	}
	return n
}
