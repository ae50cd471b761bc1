package ws

import (
	"net"
	"syscall"
)

// Reader takes messages and control frames off a connection. It belongs to one goroutine, the only one that
// reads from the connection.
//
// A Reader that waits for a frame holds no buffer: 128 bytes for itself and 24 for the descriptor it waits on.
// Buffers come from pools when bytes have arrived, 8 KiB at a time or 64, and go back before it waits again.
// A message in one frame that fits is handed out where it was read to; others are put together in a
// second buffer, which grows with the bytes that arrive and not with the length a header declares.
type Reader struct {
	conn  net.Conn           // nil when raw is not
	raw   syscall.RawConn    // nil for TLS, in-memory connections and Windows
	try   func(uintptr) bool // tryRead, kept because a method value allocates
	err   error              // sticky *Error; in between, what tryRead found
	buf   []byte             // the window, see fill
	page  *[]byte            // a buffer, used to its capacity
	msg   *[]byte            // the message so far, or the one handed out
	limit int32
	left  int32  // payload bytes of the current frame that are not in msg yet
	valid int32  // bytes of msg known to be UTF-8
	key   uint32 // mask of the current frame, turned to its next byte

	op       Op   // of the message in progress, Continuation for none
	fin      bool // the current frame is its last
	inside   bool // within a frame whose payload goes to msg
	deflated bool // the message in progress is compressed
	inflate  bool // compressed messages are welcome
	large    bool // the next page is to be large
	met      bool // the present page has met a frame that wants one

	small [9]byte // where Wait and a read without descriptor wait; the size that makes 128 of the whole
}

const maxLimit = 1 << 30 // leaves room for sums in an int32

// NewReader returns a Reader for what a client sends on c after the upgrade. The bytes in early came
// with the upgrade request and are read first; the Reader owns them. A message may have limit bytes, after inflation
// if it is compressed, and 1 GiB at most.
func NewReader(c net.Conn, early []byte, limit int) *Reader {
	r := &Reader{raw: rawConn(c), limit: int32(min(max(limit, 0), maxLimit))}
	if r.raw != nil {
		r.try = r.tryRead
	} else {
		r.conn = c
	}
	if len(early) > 0 {
		r.buf = early[:len(early):len(early)]
	}
	return r
}

// Next blocks for a whole data message, its fragments joined, or a control frame, which may come between fragments.
// The payload may be changed by the caller and is valid until the next call. Text is valid UTF-8, and the payload of
// Close has been checked; see ParseClose.
//
// An *Error says what the client did wrong and is final. Errors of the connection come as they are; after
// os.ErrDeadlineExceeded with a new deadline, Next goes on where it stopped.
func (r *Reader) Next() (op Op, payload []byte, err error) {
	if r.err != nil {
		return 0, nil, r.err
	}
	if r.op == Continuation && r.msg != nil { // handed out by the last call
		putBuffer(r.msg)
		r.msg = nil
	}
	for {
		if !r.inside {
			h, err := r.header()
			if err != nil {
				return 0, nil, err
			}
			if h.op >= Close || r.inPlace(h) {
				return r.frame(h)
			}
			r.begin(h)
		}
		if err := r.collect(); err != nil {
			return 0, nil, err
		}
		r.inside = false
		if r.fin {
			return r.finish()
		}
	}
}

// Waits reports whether there is a descriptor to wait on, so that Rest and Wait are of use.
func (r *Reader) Waits() bool { return r.raw != nil }

// Rest gives the buffers back when the Reader is between messages and holds nothing of the next, and reports whether
// that is so and Wait may be called. The last payload is invalid then.
func (r *Reader) Rest() bool {
	if r.raw == nil || len(r.buf) > 0 || r.inside || r.op != Continuation || r.err != nil {
		return false
	}
	r.giveBack()
	return true
}

// Wait blocks until Next has something to look at: bytes, an error, a deadline that has passed. Call it after Rest.
// It holds no buffer, and fits a goroutine whose stack has never grown, which Next may not.
func (r *Reader) Wait() {
	r.buf = r.small[:0]
	_ = r.raw.Read(r.try) // Next will see for itself
	if len(r.buf) == 0 {
		r.buf = nil
	}
}

// Buffered reports that Next will not block: the rest of a message, a control frame or an error is in memory
// already. False says nothing about what TLS or the kernel may hold.
func (r *Reader) Buffered() bool {
	if r.err != nil {
		return true
	}
	if r.inside {
		return false
	}
	b, m := r.buf, r.progress()
	for {
		h, bad := parseHeader(b)
		if bad == nil && h.len > 0 {
			bad = r.check(h, m)
		}
		switch {
		case bad != nil:
			return true
		case h.len == 0 || h.size > int64(len(b)-h.len):
			return false
		case h.fin:
			return true
		}
		b = b[h.len+int(h.size):]
		m = progress{op: max(m.op, h.op), deflated: m.deflated || h.rsv1, size: m.size + h.size}
	}
}

// Release gives the buffers back; the last payload is invalid from here on. Call it once, after the last Next has
// returned; what Next returns from now on is net.ErrClosed.
func (r *Reader) Release() {
	r.giveBack()
	r.err = net.ErrClosed
}

func (r *Reader) giveBack() {
	if r.page != nil {
		r.dropPage()
	}
	if r.msg != nil {
		putBuffer(r.msg)
	}
	r.msg, r.buf = nil, nil
}

// header waits for the next frame's header and checks it. It consumes nothing.
func (r *Reader) header() (header, error) {
	for {
		h, err := parseHeader(r.buf)
		if err == nil && h.len > 0 {
			err = r.check(h, r.progress())
		}
		if err != nil {
			return h, r.fail(err)
		}
		if h.len > 0 {
			return h, nil
		}
		if err := r.fill(maxHeader); err != nil {
			return h, err
		}
	}
}

// progress is what matters to the next header about the message in progress.
type progress struct {
	op       Op // Continuation for no message
	deflated bool
	size     int64
}

func (r *Reader) progress() progress {
	return progress{op: r.op, deflated: r.deflated, size: int64(r.size())}
}

// check refuses a header that is wrong where it stands.
func (r *Reader) check(h header, m progress) *Error {
	switch {
	case h.rsv1 && (!r.inflate || h.op != Text && h.op != Binary):
		return protocolError("reserved bits set")
	case h.op >= Close:
		return nil
	case h.op == Continuation && m.op == Continuation:
		return protocolError("continuation without a start")
	case h.op != Continuation && m.op != Continuation:
		return protocolError("message within a message")
	}
	limit := int64(r.limit)
	if m.deflated || h.rsv1 {
		limit = deflatedLimit(limit)
	}
	if h.size > limit-m.size {
		return errTooBig
	}
	return nil
}

// inPlace reports whether the frame is a message that need not be put together.
func (r *Reader) inPlace(h header) bool {
	if !h.fin || h.op == Continuation || h.rsv1 {
		return false
	}
	whole := int64(h.len) + h.size
	r.met = r.met || whole > pageSize
	return whole <= int64(r.pageSize()) || whole <= int64(len(r.buf))
}

// frame waits for the whole frame and hands it out where it lies.
func (r *Reader) frame(h header) (Op, []byte, error) {
	whole := h.len + int(h.size)
	for len(r.buf) < whole {
		if err := r.fill(whole); err != nil {
			return 0, nil, err
		}
	}
	payload := r.buf[h.len:whole:whole]
	unmask(payload, h.key)
	r.advance(whole)
	switch h.op {
	case Text:
		if !validText(payload) {
			return 0, nil, r.fail(errText)
		}
	case Close:
		if err := checkClose(payload); err != nil {
			return 0, nil, r.fail(err)
		}
	}
	return h.op, payload, nil
}

// size returns how many bytes the message in progress has so far.
func (r *Reader) size() int {
	if r.op == Continuation || r.msg == nil {
		return 0
	}
	return len(*r.msg)
}

func (r *Reader) fail(err *Error) error {
	r.err = err
	return err
}
