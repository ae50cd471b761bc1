package ws

import (
	"io"
	"net"
	"syscall"
)

// The window r.buf holds the bytes that have arrived and are not consumed; it grows into its own capacity. It lies in
// r.page, in r.small, in the early bytes of the upgrade or, while a large payload is read, in the message itself.

// fill blocks until the window has grown. need is how many bytes the caller wants in it, a page at most.
// A window that is empty is nil, or has the capacity of the place to read to.
func (r *Reader) fill(need int) error {
	if len(r.buf) > 0 {
		r.makeRoom(need)
	}
	if r.raw == nil {
		return r.fillConn()
	}
	if err := r.raw.Read(r.try); err != nil {
		return err
	}
	err := r.err
	r.err = nil
	return err
}

// makeRoom moves what is in the window to the start of a page when it could not grow to need bytes where it is, or
// only by less than half a page: fewer, larger reads are worth the copy of a part of one frame.
func (r *Reader) makeRoom(need int) {
	size := r.pageSize()
	if r.page == nil {
		r.takePage()
	} else if cap(r.buf) == size || cap(r.buf) >= need && cap(r.buf)-len(r.buf) >= size/2 {
		return
	}
	r.buf = (*r.page)[:copy((*r.page)[:size], r.buf)]
}

// pageSize is the size of the page, or of the one to be taken next.
func (r *Reader) pageSize() int {
	switch {
	case r.page != nil:
		return cap(*r.page)
	case r.large:
		return largePage
	default:
		return pageSize
	}
}

func (r *Reader) takePage() { r.page = getBuffer(r.pageSize()) }

// tryRead is called by RawConn.Read: first at once, then whenever the socket has become readable. It
// takes a page only to read to it, and parks without one.
func (r *Reader) tryRead(fd uintptr) bool {
	if cap(r.buf) == 0 {
		if r.page == nil {
			r.takePage()
		}
		r.buf = (*r.page)[:0]
	}
	n, again, err := readFD(fd, r.buf[len(r.buf):cap(r.buf)])
	switch {
	case again:
		if len(r.buf) == 0 && r.page != nil {
			r.dropPage()
		}
		return false
	case err != nil:
		r.err = err
	case n == 0:
		r.err = io.EOF
	}
	r.buf = r.buf[:len(r.buf)+n]
	return true
}

// fillConn reads from a connection that offers no descriptor. An idle one waits in a read of a few bytes into the
// Reader itself; a pong or a bare close frame fits there, and what is longer goes on in a page.
func (r *Reader) fillConn() error {
	if cap(r.buf) == 0 {
		if r.page != nil {
			r.dropPage()
		}
		r.buf = r.small[:0]
	}
	for range 100 {
		n, err := r.conn.Read(r.buf[len(r.buf):cap(r.buf)])
		if n > 0 {
			r.buf = r.buf[:len(r.buf)+n]
			return nil // an error that came along comes again
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

func (r *Reader) dropPage() {
	putBuffer(r.page)
	r.page, r.buf = nil, nil
	r.large, r.met = r.met, false
}

// advance consumes n bytes of the window.
func (r *Reader) advance(n int) {
	if r.buf = r.buf[n:]; len(r.buf) == 0 {
		r.buf = nil
	}
}

// rawConn returns the descriptor of a plain socket, nil for anything else. Types that embed a socket are
// anything else: they may read differently.
func rawConn(c net.Conn) syscall.RawConn {
	if !canRead {
		return nil
	}
	var sc syscall.Conn
	switch c := c.(type) {
	case *net.TCPConn:
		sc = c
	case *net.UnixConn:
		sc = c
	default:
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
