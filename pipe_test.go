package engineio

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/ws"
)

// A guard is a connection of fasthttp's that is given to one WebSocket. Once it is closed it belongs to
// somebody else: whoever touches it then, or closes it again, fails the test. So does who closes it while
// another uses it.
type guard struct {
	net.Conn
	t        testing.TB
	released atomic.Bool
	gone     chan struct{} // closed with the connection
}

func newGuard(t testing.TB, c net.Conn) *guard {
	return &guard{Conn: c, t: t, gone: make(chan struct{})}
}

// guarded is a guard, or something around one.
type guarded interface {
	net.Conn
	is() *guard
}

func (g *guard) is() *guard { return g }

// Close is fasthttp's, or where it keeps hijacked connections ours.
func (g *guard) Close() error {
	if g.released.Swap(true) {
		g.t.Error("a second Close, of a connection that belongs to somebody else")
		return nil
	}
	defer close(g.gone)
	return g.Conn.Close()
}

func (g *guard) check(what string) {
	if g.released.Load() {
		g.t.Errorf("%s on a connection that belongs to somebody else", what)
	}
}

func (g *guard) Read(b []byte) (int, error) {
	g.check("Read")
	defer g.check("end of Read")
	return g.Conn.Read(b)
}

func (g *guard) Write(b []byte) (int, error) {
	g.check("Write")
	defer g.check("end of Write")
	return g.Conn.Write(b)
}

func (g *guard) SetReadDeadline(at time.Time) error {
	g.check("SetReadDeadline")
	return g.Conn.SetReadDeadline(at)
}

func (g *guard) SetWriteDeadline(at time.Time) error {
	g.check("SetWriteDeadline")
	return g.Conn.SetWriteDeadline(at)
}

// A pipe is a client at the other end of an in-memory connection to a webSocket.
type pipe struct {
	conn   net.Conn
	frames chan string   // "1 4hello": opcode and payload
	left   chan struct{} // closed when the reader has left
}

// servePipe has life serve a new connection, as fasthttp does.
func servePipe(t testing.TB, w *webSocket, life func(net.Conn), begun bool) *pipe {
	t.Helper()
	if !begun {
		t.Fatal("the upgrade does not begin")
	}
	server, client := net.Pipe()
	return serveConn(t, newGuard(t, server), client, life)
}

func serveConn(t testing.TB, server guarded, client net.Conn, life func(net.Conn)) *pipe {
	t.Helper()
	p := &pipe{conn: client, frames: make(chan string, 1000), left: make(chan struct{})}
	go func() {
		defer close(p.left)
		hijack(t, server, life)
	}()
	go p.read()
	return p
}

func (p *pipe) read() {
	defer close(p.frames)
	for {
		op, payload, err := readFrame(p.conn)
		if err != nil {
			return
		}
		if op == ws.Close {
			code, reason := ws.ParseClose(payload)
			payload = fmt.Append(nil, code, " ", reason)
		}
		p.frames <- fmt.Sprintf("%d %s", op, payload)
	}
}

// readFrame reads one unmasked frame.
func readFrame(r io.Reader) (op ws.Op, payload []byte, err error) {
	var h [10]byte
	if _, err := io.ReadFull(r, h[:2]); err != nil {
		return 0, nil, err
	}
	n := int(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(r, h[2:4])
		n = int(binary.BigEndian.Uint16(h[2:]))
	case 127:
		_, err = io.ReadFull(r, h[2:10])
		n = int(binary.BigEndian.Uint64(h[2:]))
	}
	if err != nil {
		return 0, nil, err
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(r, payload)
	return ws.Op(h[0] & 0x0f), payload, err
}

// send sends a text message. Nobody takes it once the server has left.
func (p *pipe) send(text string) { p.sendFrame(ws.Text, []byte(text)) }

func (p *pipe) sendFrame(op ws.Op, payload []byte) {
	frame := ws.AppendHeader(nil, op, len(payload))
	frame[1] |= 0x80 // with a mask of zeros
	frame = append(append(frame, 0, 0, 0, 0), payload...)
	_, _ = p.conn.Write(frame)
}

// next is the next frame, "end" after the last.
func (p *pipe) next(t testing.TB) string {
	t.Helper()
	frame, ok := <-p.frames
	if !ok {
		return "end"
	}
	return frame
}

// rest waits for the end of the connection.
func (p *pipe) rest() {
	for range p.frames {
	}
}

func (p *pipe) expect(t testing.TB, frames ...string) {
	t.Helper()
	for _, want := range frames {
		if got := p.next(t); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// upgrade plays the client's side of an upgrade.
func (p *pipe) upgrade(t testing.TB) {
	t.Helper()
	p.send("2probe")
	p.expect(t, "1 3probe")
	p.send("5")
}

// close ends the connection as a client does that has gone, and waits for the reader.
func (p *pipe) close() {
	if err := p.conn.Close(); err != nil && !errors.Is(err, io.ErrClosedPipe) {
		panic(err)
	}
	<-p.left
}
