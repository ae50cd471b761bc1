package conformance_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

const clientLimit = 1<<20 + 1 // a mebibyte and its type

// eachClient runs f for a session of github.com/fasthttp/websocket, plain and compressed, and over TLS.
func eachClient(t *testing.T, f func(t *testing.T, c *websocket.Conn)) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		for _, deflate := range []bool{false, true} {
			if secure && !deflate {
				continue
			}
			config := engineio.Config{PerMessageDeflate: deflate, MaxPayload: clientLimit, PingInterval: time.Hour}
			name := fmt.Sprintf("tls=%v,deflate=%v", secure, deflate)
			t.Run(name, func(t *testing.T) {
				serveEcho(t, config, enginetest.Options{TLS: secure}, func(t *testing.T, s *enginetest.Server) {
					f(t, connect(t, s, deflate))
				})
			})
		}
	}
}

// connect opens a session, with buffers so small that large messages are fragmented.
func connect(t *testing.T, s *enginetest.Server, deflate bool) *websocket.Conn {
	t.Helper()
	d := websocket.Dialer{
		NetDial:           func(string, string) (net.Conn, error) { return s.Dial() },
		EnableCompression: deflate, WriteBufferSize: 3000,
	}
	c, r, err := d.Dial("ws://"+s.Addr+enginetest.Setup{}.URI("websocket", ""), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if got := r.Header.Get("Sec-WebSocket-Extensions"); (got != "") != deflate {
		t.Errorf("extensions %q, permessage-deflate is %v", got, deflate)
	}
	_ = c.SetReadDeadline(time.Now().Add(enginetest.Patience)) // the dialer has cleared it
	if kind, b, err := c.ReadMessage(); err != nil || kind != websocket.TextMessage || !strings.HasPrefix(string(b), `0{"sid":"`) {
		t.Fatalf("first came %q, %v", b, err)
	}
	return c
}

// answered reads a message, or fails.
func answered(t *testing.T, c *websocket.Conn, kind int, want []byte) {
	t.Helper()
	if got, b, err := c.ReadMessage(); err != nil || got != kind || !bytes.Equal(b, want) {
		t.Fatalf("read kind %d, %d bytes, %v; want kind %d, %d bytes", got, len(b), err, kind, len(want))
	}
}

// message is one of n bytes beyond the type that text has.
func message(kind, n int) []byte {
	if kind == websocket.TextMessage {
		return []byte("4" + strings.Repeat("x€", n/4+1)[:n/4*4])
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32N(8)) // compresses somewhat
	}
	return b
}

var kinds = []int{websocket.TextMessage, websocket.BinaryMessage}

func TestClientSizes(t *testing.T) {
	eachClient(t, func(t *testing.T, c *websocket.Conn) {
		for _, n := range []int{0, 1, 120, 125, 126, 1000, 4096, 65535, 65536, 1 << 20} {
			for _, kind := range kinds {
				sent, m := make(chan error, 1), message(kind, n)
				go func() { sent <- c.WriteMessage(kind, m) }()
				answered(t, c, kind, m)
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A writer fragments what it is given, and pings come between.
func TestClientFragments(t *testing.T) {
	eachClient(t, func(t *testing.T, c *websocket.Conn) {
		pongs := make(chan string, 1000)
		c.SetPongHandler(func(s string) error { pongs <- s; return nil })
		for i, n := range []int{1, 10, 2999, 3000, 10_000, 100_000} {
			for _, kind := range kinds {
				m, sent := message(kind, n), make(chan error, 1)
				go func() { sent <- inPieces(c, kind, m, fmt.Sprint(i)) }()
				answered(t, c, kind, m)
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := c.WriteMessage(websocket.TextMessage, []byte("4done")); err != nil {
			t.Fatal(err)
		}
		answered(t, c, websocket.TextMessage, []byte("4done"))
		if n := len(pongs); n != 6*2*5 {
			t.Errorf("%d pongs", n)
		}
	})
}

// inPieces writes m in five pieces, with a ping before each.
func inPieces(c *websocket.Conn, kind int, m []byte, name string) error {
	w, err := c.NextWriter(kind)
	if err != nil {
		return err
	}
	n := len(m)/5 + 1
	for range 5 {
		if err := c.WriteControl(websocket.PingMessage, []byte(name), time.Now().Add(enginetest.Patience)); err != nil {
			return err
		}
		if _, err := w.Write(m[:min(n, len(m))]); err != nil {
			return err
		}
		m = m[min(n, len(m)):]
	}
	return w.Close()
}

// A thousand messages at once, by several writers, each in its order.
func TestClientBurst(t *testing.T) {
	const writers, each = 4, 250
	eachClient(t, func(t *testing.T, c *websocket.Conn) {
		var mu sync.Mutex // the client's rule: one writer at a time
		var all sync.WaitGroup
		for w := range writers {
			all.Go(func() {
				for i := range each {
					m := fmt.Appendf(nil, "4%d %d %s", w, i, strings.Repeat("x", i*i%1500))
					mu.Lock()
					err := c.WriteMessage(websocket.TextMessage, m)
					mu.Unlock()
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		var next [writers]int
		for range writers * each {
			_, b, err := c.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			var w, i int
			if _, err := fmt.Sscanf(string(b), "4%d %d", &w, &i); err != nil || i != next[w] || !strings.HasSuffix(string(b), " "+strings.Repeat("x", i*i%1500)) {
				t.Fatalf("%.40q, want %d of writer %d (%v)", b, next[w], w, err)
			}
			next[w]++
		}
		all.Wait()
	})
}

// The client closes with some code; ours answers 1000 and hangs up.
func TestClientCloses(t *testing.T) {
	for _, code := range []int{1000, 1001, 1005, 1011, 3000, 4999} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			eachClient(t, func(t *testing.T, c *websocket.Conn) {
				_ = c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, "bye"), time.Now().Add(enginetest.Patience))
				closes(t, c, code)
			})
		})
	}
}

// Ours closes; the reason tells why.
func TestServerClosesClient(t *testing.T) {
	for name, c := range map[string]struct {
		send string
		code int
	}{
		"goodbye":   {"1", 1000},
		"no packet": {"x", 1002},
		"too big":   {"4" + strings.Repeat("x", clientLimit), 1009},
	} {
		t.Run(name, func(t *testing.T) {
			eachClient(t, func(t *testing.T, conn *websocket.Conn) {
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_ = conn.WriteMessage(websocket.TextMessage, []byte(c.send)) // we may be told off before all has left
				}()
				closes(t, conn, c.code)
				<-sent
			})
		})
	}
}

// closes reads the close frame, and the end of the connection after it.
func closes(t *testing.T, c *websocket.Conn, code int) {
	t.Helper()
	if _, b, err := c.ReadMessage(); !websocket.IsCloseError(err, code) {
		t.Errorf("read %.60q, %v; want close code %d", b, err, code)
	}
	if n, err := c.NetConn().Read(make([]byte, 1)); n > 0 || err != io.EOF {
		t.Errorf("after the close frame: %d bytes, %v; want EOF", n, err)
	}
}
