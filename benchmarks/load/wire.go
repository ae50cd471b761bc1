package main

import (
	"net"
)

// wire is a connection with what has been read from it and not been used. It belongs to one
// goroutine.
type wire struct {
	net.Conn
	buf      []byte
	from, to int // buf[from:to] is unused
}

const (
	firstBuffer = 4 << 10
	maxBuffer   = 64 << 10
)

// newWire makes a wire on c. A read takes up to size bytes at a time, within reason; longer
// messages make the buffer grow.
func newWire(c net.Conn, size int) *wire {
	return &wire{Conn: c, buf: make([]byte, max(firstBuffer, min(size, maxBuffer)))}
}

// unread is what has been read and not been used. It is valid until fill.
func (w *wire) unread() []byte { return w.buf[w.from:w.to] }

// used drops the first n bytes of unread.
func (w *wire) used(n int) {
	w.from += n
	if w.from == w.to {
		w.from, w.to = 0, 0
	}
}

// fill reads once, and blocks until there is something.
func (w *wire) fill() error {
	if w.from > 0 && (w.to == len(w.buf) || w.to-w.from < firstBuffer) {
		w.to = copy(w.buf, w.buf[w.from:w.to])
		w.from = 0
	}
	if w.to == len(w.buf) {
		w.buf = append(w.buf, make([]byte, len(w.buf))...)
	}
	n, err := w.Read(w.buf[w.to:])
	w.to += n
	if n > 0 {
		return nil // an error with data comes again
	}
	return err
}
