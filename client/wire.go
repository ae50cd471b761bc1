package client

import (
	"net"
	"sync"
	"time"

	"github.com/fasteio/engineio/codec"
)

// wire is the connection under a WebSocket. It bounds what a handshake may read, which net/http does
// not, and gathers the frames of a batch into one write.
type wire struct {
	net.Conn
	left     int           // what may still be read; negative without a bound
	patience time.Duration // how long a write may make no progress; 0 leaves deadlines to the dialer

	mu   sync.Mutex
	held *codec.Buffer // nil unless corked
}

// NetConn is the connection beneath.
func (w *wire) NetConn() net.Conn { return w.Conn }

func (w *wire) Read(b []byte) (int, error) {
	if w.left < 0 {
		return w.Conn.Read(b)
	}
	if w.left == 0 {
		return 0, errTooLong
	}
	n, err := w.Conn.Read(b[:min(len(b), w.left)])
	w.left -= n
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.held == nil {
		return w.write(b)
	}
	w.held.B = append(w.held.B, b...)
	if len(w.held.B) < maxWrite/2 {
		return len(b), nil
	}
	_, err := w.write(w.held.B)
	w.held.B = w.held.B[:0]
	return len(b), err
}

// write gives each piece, of some 32 KB, its own time: a slow network is not a dead one.
func (w *wire) write(b []byte) (int, error) {
	if w.patience > 0 {
		_ = w.Conn.SetWriteDeadline(time.Now().Add(w.patience))
	}
	return w.Conn.Write(b)
}

// SetWriteDeadline is the library's, which counts for a whole message. See write.
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// cork holds back what is written until uncork.
func (w *wire) cork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = codec.AcquireBuffer()
}

func (w *wire) uncork() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.held.B) > 0 {
		_, err = w.write(w.held.B)
	}
	codec.ReleaseBuffer(w.held)
	w.held = nil
	return err
}
