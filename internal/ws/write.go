package ws

import "sync"

// WriteNow writes as much of b as the socket takes without waiting, and returns how much that is: 0 where the
// connection has no descriptor. What keeps the rest out, a full buffer or an error, is for a write that waits to find.
// It spares the two deadlines around such a write, a fifth of a microsecond. Any goroutine may call it, one at a time.
func (r *Reader) WriteNow(b []byte) (n int) {
	if r.raw == nil {
		return 0
	}
	a := attempts.Get().(*attempt)
	a.b = b
	if r.raw.Write(a.try) == nil {
		n = a.n
	}
	a.b, a.n = nil, 0
	attempts.Put(a)
	return n
}

// An attempt is a WriteNow under way.
type attempt struct {
	b   []byte
	n   int
	try func(uintptr) bool // write, kept because a method value allocates
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.try = a.write
	return a
}}

func (a *attempt) write(fd uintptr) bool {
	a.n = max(writeFD(fd, a.b), 0)
	return true
}
