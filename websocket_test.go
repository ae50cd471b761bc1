package engineio

import (
	"context"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/internal/ws"
)

// openPipe is a session that was opened by WebSocket. The open packet is read.
func openPipe(t testing.TB, srv *Server, rev Revision) (*Session, *pipe) {
	t.Helper()
	s := newTestSession(t, srv, rev, WebSocket)
	c := servePipe(t, newWebSocket(s), newWebSocket(s).serve, true)
	if first := c.next(t); !strings.HasPrefix(first, `1 0{"sid":`) {
		t.Fatalf("first came %q, want the open packet", first)
	}
	return s, c
}

func TestWebSocketEchoes(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{OnMessage: func(s *Session, m Message) {
				if m.Binary {
					_ = s.SendBinary(m.Data)
				} else {
					_ = s.SendText(string(m.Data))
				}
			}})
			s, c := openPipe(t, srv, rev)
			c.send("4text")
			c.expect(t, "1 4text")
			payload := "bytes"
			if rev == V3 {
				payload = "\x04bytes"
			}
			c.sendFrame(ws.Binary, []byte(payload))
			c.expect(t, "2 "+payload)
			c.sendFrame(ws.Ping, []byte("ping"))
			c.expect(t, "10 ping")
			c.close()
			untilEnd(t, s, ReasonTransportClose)
			if srv.places.count() != 0 || srv.busy.wait(t.Context()) != nil {
				t.Error("something is left")
			}
		})
	}
}

// How a session on WebSocket ends, what the client is told, and that it is told before the
// connection goes.
func TestWebSocketEnds(t *testing.T) {
	for _, c := range []struct {
		name   string
		play   func(s *Session, c *pipe)
		reason Reason
		frames []string
	}{
		{"Close", func(s *Session, _ *pipe) { _ = s.SendText("bye"); s.Close() }, ReasonServerClose, []string{"1 4bye", "8 1000 "}},
		{"CloseNow", func(s *Session, _ *pipe) { s.CloseNow() }, ReasonServerClose, []string{"8 1000 "}},
		{"a close packet", func(_ *Session, c *pipe) { c.send("1") }, ReasonClientClose, []string{"8 1000 "}},
		{"a close frame", func(_ *Session, c *pipe) { c.sendFrame(ws.Close, []byte{3, 232}) }, ReasonClientClose, []string{"8 1000 "}},
		{"no packet", func(_ *Session, c *pipe) { c.send("x") }, ReasonParseError, []string{"8 1002 "}},
		{"not UTF-8", func(_ *Session, c *pipe) { c.send("4\xff") }, ReasonTransportError, []string{"8 1007 text is not UTF-8"}},
		{"unknown opcode", func(_ *Session, c *pipe) { c.sendFrame(7, nil) }, ReasonTransportError, []string{"8 1002 unknown opcode"}},
		{"too big", func(_ *Session, c *pipe) { c.send("4" + strings.Repeat("x", 1000)) }, ReasonTooBig, []string{"8 1009 message too big"}},
		{"silence", func(*Session, *pipe) {}, ReasonPingTimeout, []string{"1 2", "8 1001 "}},
		{"the client goes", func(_ *Session, c *pipe) { _ = c.conn.Close() }, ReasonTransportClose, nil},
		{"shutdown", func(s *Session, _ *pipe) { go func() { _ = s.srv.Shutdown(context.Background()) }() }, ReasonShutdown, []string{"8 1001 "}},
		{"a slow client", func(s *Session, _ *pipe) { s.terminate(ReasonSlowClient, ErrQueueFull) }, ReasonSlowClient, []string{"8 1008 "}},
		{"a panic", func(s *Session, c *pipe) { c.send("4panic") }, ReasonPanic, []string{"8 1011 "}},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 20 {
				synctest.Test(t, func(t *testing.T) {
					srv := newTestServer(Config{MaxPayload: 1000, OnMessage: func(*Session, Message) { panic("oops") }})
					s, client := openPipe(t, srv, V4)
					c.play(s, client)
					client.expect(t, c.frames...)
					client.close()
					synctest.Wait()
					if r := reasonOf(t, s); r != c.reason {
						t.Errorf("ended with %v", r)
					}
					if srv.places.count() != 0 {
						t.Error("the session is left")
					}
				})
			}
		})
	}
}

// A client that does not answer the close frame is not waited for longer than CloseTimeout.
func TestWebSocketWaitsForTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, c := openPipe(t, newTestServer(Config{CloseTimeout: 3 * time.Second}), V4)
		start := time.Now()
		s.Close()
		c.expect(t, "8 1000 ", "end")
		<-c.left
		if d := time.Since(start); d != 3*time.Second {
			t.Errorf("the connection goes after %v", d)
		}
	})
}

// A client that does not read holds up nobody for longer than WriteTimeout.
func TestWebSocketWriteTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, client := net.Pipe()
		s := newTestSession(t, newTestServer(Config{WriteTimeout: 3 * time.Second}), V4, WebSocket)
		start := time.Now()
		left := make(chan struct{})
		go func() { defer close(left); hijack(t, newGuard(t, server), newWebSocket(s).serve) }()
		untilEnd(t, s, ReasonStalled)
		if d := time.Since(start); d != 3*time.Second+lastTryTime {
			t.Errorf("ended after %v", d)
		}
		<-left
		if d := time.Since(start); d != 3*time.Second+lastTryTime {
			t.Errorf("the reader has left after %v", d)
		}
		_ = client.Close()
	})
}

// A session that has ended before its WebSocket is there is not served for ever.
func TestWebSocketOfASessionThatHasEnded(t *testing.T) {
	for name, end := range map[string]func(*Session){"Close": (*Session).Close, "CloseNow": (*Session).CloseNow} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
				end(s)
				c := servePipe(t, newWebSocket(s), newWebSocket(s).serve, true)
				select {
				case <-c.left:
				case <-time.After(time.Hour):
					t.Error("the reader is still there after an hour")
				}
				c.close()
			})
		})
	}
}

// The end may come while the upgrade completes. The deadline of the farewell then stays.
func TestEndWhileTheUpgradeCompletes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		w := newWebSocket(s)
		server, client := net.Pipe()
		conn := &turning{guard: newGuard(t, server), s: s}
		begun := s.beginUpgrade(w)
		c := serveConn(t, conn, client, w.serveProbe)
		if !begun {
			t.Fatal("the upgrade does not begin")
		}
		c.upgrade(t)
		select {
		case <-c.left:
		case <-time.After(time.Hour):
			t.Error("the reader is still there after an hour")
		}
		c.close()
	})
}

// A turning connection ends the session in the moment when the probe's read deadline is lifted.
type turning struct {
	*guard
	s    *Session
	once sync.Once
}

func (c *turning) SetReadDeadline(at time.Time) error {
	if at.IsZero() && c.s.probed.Load() || at.IsZero() && c.s.Transport() == WebSocket {
		c.once.Do(func() {
			c.s.CloseNow()
			synctest.Wait() // the farewell is through
		})
	}
	return c.guard.SetReadDeadline(at)
}

// A halfConn can be closed for writing, as TCP can, and takes its time to write.
type halfConn struct {
	*guard
	mu    sync.Mutex
	wrote strings.Builder
}

func (c *halfConn) Write(b []byte) (int, error) {
	time.Sleep(time.Millisecond)
	n, err := c.guard.Write(b)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.wrote.Write(b[:n])
	return n, err
}

func (c *halfConn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !strings.Contains(c.wrote.String(), "unknown opcode") {
		c.t.Error("the connection is closed for writing before the close frame")
	}
	return nil
}

// A client that broke the rules is told, before the connection is closed for writing.
func TestCloseFrameBeforeCloseWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
		server, client := net.Pipe()
		conn := &halfConn{guard: newGuard(t, server)}
		c := serveConn(t, conn, client, newWebSocket(s).serve)
		c.next(t)
		c.sendFrame(7, nil)
		c.expect(t, "8 1002 unknown opcode")
		c.close()
	})
}
