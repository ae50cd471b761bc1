//go:build !race

package engineio

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A sinkConn takes everything at once.
type sinkConn struct{ net.Conn }

func (sinkConn) Write(b []byte) (int, error)      { return len(b), nil }
func (sinkConn) SetWriteDeadline(time.Time) error { return nil }
func (sinkConn) SetReadDeadline(time.Time) error  { return nil }

// sinking is an open session on a WebSocket to nowhere.
func sinking(t *testing.T) (*Session, *webSocket) {
	t.Helper()
	s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
	w := newWebSocket(s)
	w.setConn(sinkConn{}, nil)
	s.out.cork()
	s.connect(w)
	w.uncork()
	t.Cleanup(s.CloseNow)
	return s, w
}

func checkAllocs(t *testing.T, what string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(1000, f); n != 0 {
		t.Errorf("%s: %v allocations, want 0", what, n)
	}
}

func TestSendsDoNotAllocate(t *testing.T) {
	s, w := sinking(t)
	short, long := "hello", strings.Repeat("x", 10_000)
	data := []byte(long)
	group := numbered(1, 100)
	sends := map[string]func() error{
		"SendText":              func() error { return s.SendText(short) },
		"SendText, long":        func() error { return s.SendText(long) },
		"SendBinary":            func() error { return s.SendBinary(data) },
		"SendPrepared":          func() error { return s.SendPrepared(preparedShort) },
		"SendPrepared, long":    func() error { return s.SendPrepared(preparedLong) },
		"SendPrepared, binary":  func() error { return s.SendPrepared(preparedBytes) },
		"SendAll":               func() error { return s.SendAll(group) },
		"SendPrepared, group":   func() error { return s.SendPrepared(preparedGroup) },
		"a ping and its packet": func() error { return s.out.push(codec.Packet{Type: codec.Ping}, 0) },
	}
	for what, send := range sends {
		checkAllocs(t, what, func() {
			s.out.cork()
			if err := send(); err != nil {
				t.Fatal(err)
			}
			w.uncork() // drains
		})
	}
}

var (
	preparedShort = PrepareText("hello")
	preparedLong  = PrepareText(strings.Repeat("x", 10_000))
	preparedBytes = PrepareBinary([]byte("hello"))
	preparedGroup = PrepareAll(numbered(1, 100))
)

// A send from a goroutine that is not the reader's starts a drain of its own.
func TestSendThatWakesDoesNotAllocate(t *testing.T) {
	s, _ := sinking(t)
	checkAllocs(t, "SendText", func() {
		if s.SendText("hello") != nil {
			t.Fatal("it fails")
		}
		for draining(&s.out) {
			runtime.Gosched()
		}
	})
}

// The same on real sockets, whose writes do not wait.
func TestBroadcastToSocketsDoesNotAllocate(t *testing.T) {
	const sessions = 20
	srv := newTestServer(Config{})
	var group Groups[int]
	for range sessions {
		s := newTestSession(t, srv, V4, WebSocket)
		w := newWebSocket(s)
		w.setConn(socket(t), nil)
		s.out.cork()
		s.connect(w)
		w.uncork()
		_ = group.Add(1, s)
		t.Cleanup(s.CloseNow)
	}
	checkAllocs(t, "Groups.Send", func() { group.Send(1, preparedShort) })
	checkAllocs(t, "Broadcast", func() { srv.Broadcast(preparedShort) })
	shared := PrepareText(strings.Repeat("x", 2*sharedFrom)) // longer ones would wait for the readers
	checkAllocs(t, "Broadcast, shared", func() { srv.Broadcast(shared) })
	for s := range srv.Sessions() {
		checkAllocs(t, "SendText", func() {
			s.SendText("hello")
			for draining(&s.out) {
				runtime.Gosched()
			}
		})
		if s.out.sent < 3000 {
			t.Errorf("%d packets have left", s.out.sent)
		}
	}
}

// socket is the server's end of a connection whose client reads and forgets.
func socket(t *testing.T) net.Conn {
	t.Helper()
	server, client := loopback(t)
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{client}, make([]byte, 64<<10))
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-read
		_ = client.Close()
	})
	return server
}

func draining(o *outbox) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.busy
}

func TestReceiveDoesNotAllocate(t *testing.T) {
	s, w := sinking(t)
	received := 0
	s.srv.config.OnMessage = func(_ *Session, m Message) { received += len(m.Data) }
	message, beat := []byte("4hello"), []byte("3")
	checkAllocs(t, "a text", func() { w.receive(ws.Text, message) })
	checkAllocs(t, "binary", func() { w.receive(ws.Binary, message) })
	checkAllocs(t, "a heartbeat", func() { w.receive(ws.Text, beat) })
	checkAllocs(t, "a ping frame", func() {
		s.out.cork()
		w.receive(ws.Ping, beat)
		w.uncork()
	})
	if received == 0 {
		t.Error("nothing was received")
	}
}

func TestFeedDoesNotAllocate(t *testing.T) {
	s := newTestSession(t, newTestServer(Config{OnMessage: func(*Session, Message) {}}), V4, Polling)
	s.connect(s.poll)
	get(s)
	t.Cleanup(s.CloseNow)
	payload := []byte("4hello\x1e4world\x1e3")
	checkAllocs(t, "a payload", func() { s.poll.receive(codec.Text4.Decode(payload), nil) })
}

// The engine's part of a message from the client by POST and back by GET.
func TestPollRoundTripDoesNotAllocate(t *testing.T) {
	srv := newTestServer(Config{OnMessage: func(s *Session, m Message) { _ = s.Send(m, 0) }})
	s := openPolling(t, srv, V4)
	t.Cleanup(func() { shut(srv) })
	query := handshake4 + "&sid=" + s.id
	post, get := incoming("POST", query), incoming("GET", query)
	body := []byte("4hello")
	checkAllocs(t, "POST and GET", func() {
		post.Request.SetBody(body)
		post.Response.Reset()
		srv.ServeFastHTTP(post)
		get.Response.Reset()
		srv.ServeFastHTTP(get)
	})
	if got := string(get.Response.Body()); got != "4hello" {
		t.Errorf("answered %q", got)
	}
}

func TestFlushOfNothingDoesNotAllocate(t *testing.T) {
	s, _ := sinking(t)
	ctx := t.Context()
	checkAllocs(t, "Flush", func() {
		if s.Flush(ctx) != nil {
			t.Fatal("it fails")
		}
	})
}

func TestBroadcastDoesNotAllocate(t *testing.T) {
	srv := newTestServer(Config{OnMessage: func(*Session, Message) {}, MaxQueuedBytes: 10, Overflow: OverflowDropNewest})
	for range 10 {
		s := openPolling(t, srv, V4)
		_ = s.SendText("full")
		_ = s.SendText("full")
		t.Cleanup(s.CloseNow)
	}
	checkAllocs(t, "Broadcast", func() { srv.Broadcast(preparedShort) })
}
