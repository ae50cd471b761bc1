package client

import (
	"net"
	"sync"
	"time"

	"github.com/fasteio/engineio/internal/bytebuffer"
)

// wsConn is the connection under a WebSocket. It bounds what a handshake may read, which net/http does
// not, and gathers the frames of a batch into one write.
type wsConn struct {
	net.Conn
	readLeft     int           // what may still be read; negative without a bound
	writeTimeout time.Duration // how long a write may make no progress; 0 leaves deadlines to the dialer

	mu     sync.Mutex
	corked *bytebuffer.Buffer // nil unless corked
}

// NetConn is the connection beneath.
func (w *wsConn) NetConn() net.Conn { return w.Conn }

func (w *wsConn) Read(b []byte) (int, error) {
	if w.readLeft < 0 {
		return w.Conn.Read(b)
	}
	if w.readLeft == 0 {
		return 0, errTooLong
	}
	n, err := w.Conn.Read(b[:min(len(b), w.readLeft)])
	w.readLeft -= n
	return n, err
}

func (w *wsConn) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.corked == nil {
		return w.write(b)
	}
	w.corked.B = append(w.corked.B, b...)
	if len(w.corked.B) < maxWrite/2 {
		return len(b), nil
	}
	_, err := w.write(w.corked.B)
	w.corked.B = w.corked.B[:0]
	return len(b), err
}

// write gives each piece, of some 32 KB, its own time: a slow network is not a dead one.
func (w *wsConn) write(b []byte) (int, error) {
	if w.writeTimeout > 0 {
		_ = w.Conn.SetWriteDeadline(time.Now().Add(w.writeTimeout))
	}
	return w.Conn.Write(b)
}

// SetWriteDeadline is the library's, which counts for a whole message. See write.
func (w *wsConn) SetWriteDeadline(time.Time) error { return nil }

// cork holds back what is written until uncork.
func (w *wsConn) cork() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.corked = bytebuffer.Acquire()
}

func (w *wsConn) uncork() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.corked.B) > 0 {
		_, err = w.write(w.corked.B)
	}
	bytebuffer.Release(w.corked)
	w.corked = nil
	return err
}
