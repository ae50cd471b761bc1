package benchmarks

import (
	"io"
	"net"
	"time"
)

// tape is a connection in memory: a client's handshake, then frames over and over until so many
// bytes have been read, then the end. What is written to it is thrown away.
type tape struct {
	head   []byte
	frames []byte
	at     int // in frames
	left   int
}

func (t *tape) Read(p []byte) (n int, err error) {
	if len(t.head) > 0 {
		n = copy(p, t.head)
		t.head = t.head[n:]
		return n, nil
	}
	if t.left == 0 {
		return 0, io.EOF
	}
	n = copy(p[:min(len(p), t.left)], t.frames[t.at:])
	t.at = (t.at + n) % len(t.frames)
	t.left -= n
	return n, nil
}

func (*tape) Write(p []byte) (int, error)      { return len(p), nil }
func (*tape) Close() error                     { return nil }
func (*tape) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*tape) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*tape) SetDeadline(time.Time) error      { return nil }
func (*tape) SetReadDeadline(time.Time) error  { return nil }
func (*tape) SetWriteDeadline(time.Time) error { return nil }
