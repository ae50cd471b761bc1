package engineio

import (
	"io"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
)

// The security rule: the reader leaves last. What fasthttp has given it is another client's once the hijack
// handler has returned, or once the reader has closed it, so whoever still writes then, writes to a stranger.

// A write that hangs keeps the reader from leaving.
func TestAHangingWriteKeepsTheReader(t *testing.T) {
	for name, end := range map[string]func(s *Session, c *pipe){
		"the client's close packet": func(_ *Session, c *pipe) { c.send("1") },
		"a broken frame":            func(_ *Session, c *pipe) { c.sendFrame(7, nil) },
		"CloseNow":                  func(s *Session, _ *pipe) { s.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestSession(t, newTestServer(Config{CloseTimeout: 3 * time.Second}), V4, WebSocket)
				server, client := net.Pipe()
				conn := &hanging{guard: newGuard(t, server), gate: make(chan struct{})}
				c := serveConn(t, conn, client, newWebSocket(s).serve)
				c.next(t)
				synctest.Wait()
				conn.hang()
				_ = s.SendText("hangs")
				synctest.Wait()
				end(s, c)
				time.Sleep(time.Minute) // all deadlines have passed, this connection does not care
				select {
				case <-c.left:
					t.Error("the reader has left a write behind")
				default:
				}
				close(conn.gate)
				<-c.left
				synctest.Wait()
				c.close()
			})
		})
	}
}

// A hanging connection writes when its gate opens, and not before.
type hanging struct {
	*guard
	gate chan struct{}
	mu   sync.Mutex
	shut bool
}

func (c *hanging) hang() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shut = true
}

func (c *hanging) Write(b []byte) (int, error) {
	c.mu.Lock()
	shut := c.shut
	c.mu.Unlock()
	if shut {
		<-c.gate
	}
	return c.guard.Write(b)
}

// Senders, closers and those who only wake a transport go on while the reader leaves,
// and after it: none of them touches the connection any more.
func TestNobodyTouchesTheConnectionAfterwards(t *testing.T) {
	for _, upgraded := range []bool{false, true} {
		for range 150 {
			leaving(t, upgraded)
		}
	}
}

// leaving is the life of one WebSocket whose client goes at a random moment.
func leaving(t *testing.T, upgraded bool) {
	srv := newTestServer(Config{MaxQueuedBytes: 1 << 30, CloseTimeout: 50 * time.Millisecond, WriteTimeout: 50 * time.Millisecond})
	server, client := net.Pipe()
	w, life := visitor(t, srv, upgraded)
	done := make(chan struct{})
	var busy sync.WaitGroup
	for _, disturb := range disturbances(w) {
		busy.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					disturb()
					runtime.Gosched()
				}
			}
		})
	}
	busy.Go(func() { play(client, upgraded) })
	hijack(t, newGuard(t, server), life)
	for range 50 { // who is late has a chance
		runtime.Gosched()
	}
	w.s.CloseNow()
	close(done)
	busy.Wait()
	settled(t, srv)
}

func visitor(t *testing.T, srv *Server, upgraded bool) (*webSocket, func(net.Conn)) {
	t.Helper()
	if !upgraded {
		w := newWebSocket(newTestSession(t, srv, V4, WebSocket))
		return w, w.serve
	}
	w := newWebSocket(openPolling(t, srv, V4))
	if !w.s.beginUpgrade(w) {
		t.Fatal("the upgrade does not begin")
	}
	return w, w.serveProbe
}

// disturbances are what other goroutines may do at any time.
func disturbances(w *webSocket) []func() {
	large := PrepareText(string(make([]byte, 2*sharedFrom)))
	return []func(){
		func() { _ = w.s.SendText("text") },
		func() { _ = w.s.SendPrepared(large) },
		func() { _ = w.s.out.push(codec.Packet{Type: codec.Ping}, 0) },
		w.wake,
		w.interrupt,
		w.s.tick,
		func() {
			if rand.N(100) == 0 {
				w.s.Close()
			}
		},
	}
}

// play is a client that reads a little, breaks a rule or says goodbye, and goes.
func play(client net.Conn, upgraded bool) {
	c := &pipe{conn: client}
	_ = client.SetDeadline(time.Now().Add(time.Second))
	if upgraded {
		go c.send("2probe")
		_, _, _ = readFrame(client)
		go c.send("5")
	}
	for range rand.N(20) {
		if _, _, err := readFrame(client); err != nil {
			break
		}
	}
	switch rand.N(4) {
	case 0:
		go c.send("1")
	case 1:
		go c.sendFrame(7, nil)
	case 2:
		go c.sendFrame(8, nil)
	}
	_, _ = io.CopyN(io.Discard, client, rand.N(int64(10_000)))
	_ = client.Close()
}
