package engineio

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/ws"
)

// A slowConn is a client's end that reads some bytes in every pause.
type slowConn struct {
	net.Conn
	bytes int
	pause time.Duration
}

func (c slowConn) Read(b []byte) (int, error) {
	time.Sleep(c.pause)
	return c.Conn.Read(b[:min(len(b), c.bytes)])
}

// slowly serves s to a client that takes 4 KB a second.
func slowly(t *testing.T, s *Session) *pipe {
	t.Helper()
	server, client := net.Pipe()
	c := serveConn(t, newGuard(t, server), slowConn{client, 4 << 10, time.Second}, newWebSocket(s).serve)
	if first := c.next(t); !strings.HasPrefix(first, `1 0{"sid":`) {
		t.Fatalf("first came %q, want the open packet", first)
	}
	return c
}

// What was sent before Close leaves within CloseTimeout, however often WriteTimeout passes.
func TestCloseToASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSession(t, newTestServer(Config{WriteTimeout: 3 * time.Second, CloseTimeout: time.Minute}), V4, WebSocket)
		c := slowly(t, s)
		long := strings.Repeat("x", 100_000) // 25 s
		_ = s.SendText(long)
		s.Close()
		c.expect(t, "1 4"+long, "8 1000 ")
		c.close()
		c.expect(t, "end")
		untilEnd(t, s, ReasonServerClose)
	})
}

// The ping waits behind a message, which takes longer than the client has for its answer.
func TestPingBehindALongWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // revision 4: in revision 3 the client pings, and is not held up
		s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
		c := slowly(t, s)
		long := strings.Repeat("x", 100*4<<10)
		start := time.Now()
		if err := s.SendText(long); err != nil {
			t.Fatal(err)
		}
		c.expect(t, "1 4"+long)
		if d := time.Since(start); d < interval+2*timeout || s.over.Load() {
			t.Fatalf("the message took %v, the session is over: %v", d, s.over.Load())
		}
		c.expect(t, "1 2")
		c.send("3")
		synctest.Wait()
		if s.isClosed() {
			t.Fatal("the session has ended")
		}
		c.expect(t, "1 2") // and now the client is silent
		untilEnd(t, s, ReasonPingTimeout)
		c.expect(t, "8 1001 ")
		c.close()
		c.expect(t, "end")
	})
}

// overTLS serves a session over TLS on loopback, with small buffers. The client has read nothing.
func overTLS(t *testing.T, config Config) (*Session, *tls.Conn, <-chan struct{}) {
	t.Helper()
	certificate := enginetest.ServerTLS(t)
	server, client := loopback(t)
	_ = client.(*net.TCPConn).SetReadBuffer(64 << 10)
	_ = server.(*net.TCPConn).SetWriteBuffer(64 << 10)
	_ = client.SetDeadline(time.Now().Add(time.Minute))
	s := newTestSession(t, newTestServer(config), V4, WebSocket)
	left := make(chan struct{})
	go func() {
		defer close(left)
		defer func() { _ = server.Close() }()
		secure := tls.Server(server, certificate)
		if err := secure.Handshake(); err != nil { // fasthttp's, before it reads the request
			t.Error(err)
			return
		}
		newWebSocket(s).serve(secure)
	}()
	t.Cleanup(func() {
		_ = client.Close()
		<-left
	})
	return s, tls.Client(client, &tls.Config{InsecureSkipVerify: true}), left
}

// A timeout breaks a tls.Conn for good, so no write may be longer than a slow client takes in WriteTimeout.
func TestSlowClientOverTLS(t *testing.T) {
	const writeTimeout = time.Second
	for name, sizes := range map[string][]int{"one message": {2 << 20}, "several": {1 << 20, 1 << 20, 1 << 19}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, client, _ := overTLS(t, Config{WriteTimeout: writeTimeout, MaxQueuedBytes: 8 << 20})
			if _, _, err := readFrame(client); err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			s.out.cork()
			for _, n := range sizes {
				if err := s.SendText(strings.Repeat("x", n)); err != nil {
					t.Fatal(err)
				}
			}
			s.uncork()
			slow := slowConn{client, 16 << 10, 20 * time.Millisecond}
			for i, n := range sizes {
				if _, payload, err := readFrame(slow); err != nil || len(payload) != n+1 {
					t.Fatalf("message %d: %d bytes, %v", i, len(payload), err)
				}
			}
			if d := time.Since(start); d < 2*writeTimeout {
				t.Errorf("all was read in %v, which is not slow", d)
			}
		})
	}
}

func TestClientThatReadsNothingOverTLS(t *testing.T) {
	t.Parallel()
	s, client, left := overTLS(t, Config{WriteTimeout: 200 * time.Millisecond, CloseTimeout: 100 * time.Millisecond})
	if _, _, err := readFrame(client); err != nil {
		t.Fatal(err)
	}
	if err := s.SendText(strings.Repeat("x", 32<<20)); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := s.Flush(ctx); !errors.Is(err, ErrClosed) {
		t.Fatalf("Flush: %v", err)
	}
	if r := untilClosed(t, s); r != ReasonStalled {
		t.Errorf("ended with %v", r)
	}
	<-left
}

// untilClosed is why a session ends.
func untilClosed(t *testing.T, s *Session) Reason {
	t.Helper()
	<-s.Context().Done()
	return reasonOf(t, s)
}

// A client that sends a close frame gets one back even where the time for it is up before the first attempt, as
// in a process that stood still.
func TestLastWordAfterItsTime(t *testing.T) {
	srv := newTestServer(Config{})
	srv.config.CloseTimeout = 1
	server, client := loopback(t)
	left := make(chan struct{})
	s := newTestSession(t, srv, V4, WebSocket)
	go func() { defer close(left); hijack(t, newGuard(t, server), newWebSocket(s).serve) }()
	if first, _, err := readFrame(client); err != nil || first != ws.Text {
		t.Fatal(first, err)
	}
	if _, err := client.Write([]byte{0x88, 0x82, 0, 0, 0, 0, 1000 >> 8, 1000 & 255}); err != nil {
		t.Fatal(err)
	}
	if op, _, err := readFrame(client); err != nil || op != ws.Close {
		t.Errorf("%v, %v in place of a close frame", op, err)
	}
	<-left
}

// A session that has ended gives what it still writes CloseTimeout once, and not for each record's worth.
func TestCloseNowToASlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const closeTimeout = 5 * time.Second
		s := newTestSession(t, newTestServer(Config{CloseTimeout: closeTimeout}), V4, WebSocket)
		c := slowly(t, s)
		_ = s.SendText(strings.Repeat("x", 1_000_000)) // 4 minutes
		time.Sleep(2 * time.Second)
		start := time.Now()
		s.CloseNow()
		<-c.left
		if d := time.Since(start); d > 2*closeTimeout {
			t.Errorf("the connection goes %v after CloseNow", d)
		}
		c.close()
		c.rest()
	})
}

// The reader writes its own answers where the socket cannot tell what it takes, and hears nobody meanwhile.
func TestReaderThatWritesIsNoPingTimeout(t *testing.T) {
	for _, rev := range []Revision{V4, V3} {
		t.Run(fmt.Sprint(rev), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				answer := strings.Repeat("x", 16_000)
				srv := newTestServer(Config{OnMessage: func(s *Session, _ Message) { _ = s.SendText(answer) }})
				s := newTestSession(t, srv, rev, WebSocket)
				server, client := net.Pipe()
				// 250 bytes a second: a minute for the answer, some of it every second
				c := serveConn(t, newGuard(t, server), slowConn{client, 250, time.Second}, newWebSocket(s).serve)
				c.next(t)
				beat := "2"
				if rev == V4 {
					c.expect(t, "1 2")
					beat = "3"
				}
				c.send("4hi")
				go c.send(beat)
				c.expect(t, "1 4"+answer)
				if s.isClosed() {
					t.Errorf("ended with %v", reasonOf(t, s))
				}
				s.CloseNow()
				c.close()
				c.rest()
			})
		})
	}
}

// PingTimeout begins when the ping has left.
func TestPingThatLeavesLate(t *testing.T) {
	for _, seconds := range []int{1, 14, 15, 16, 17, 18, 19, 22} {
		synctest.Test(t, func(t *testing.T) {
			s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
			c := slowly(t, s)
			c.expect(t, "1 2")
			c.send("3")
			synctest.Wait()
			time.Sleep(interval - time.Second)
			long := strings.Repeat("x", seconds*4<<10)
			_ = s.SendText(long)
			c.expect(t, "1 4"+long, "1 2")
			time.Sleep(1500 * time.Millisecond) // a round trip
			c.send("3")
			synctest.Wait()
			if s.isClosed() {
				t.Errorf("%d s: ended with %v", seconds, reasonOf(t, s))
			}
			s.CloseNow()
			c.close()
			c.rest()
		})
	}
}
