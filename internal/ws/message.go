package ws

import "unicode/utf8"

// maxAhead is how much memory a header alone can claim.
const maxAhead = 64 << 10

// begin consumes the header of a frame whose payload goes to the message buffer.
func (r *Reader) begin(h header) {
	if h.op != Continuation {
		r.op, r.deflated, r.valid = h.op, h.rsv1, 0
	}
	r.inside, r.fin, r.left, r.key = true, h.fin, int32(h.size), h.key
	r.advance(h.len)
}

// collect moves the rest of the current frame's payload to the message.
func (r *Reader) collect() error {
	for r.left > 0 {
		if len(r.buf) == 0 && r.left < pageSize {
			// The end of this frame: read it together with what follows.
			if err := r.fill(1); err != nil {
				return err
			}
		}
		old := r.size()
		if len(r.buf) > 0 {
			n := min(int(r.left), len(r.buf))
			r.msg = growBuffer(r.msg, min(int(r.left), max(n, maxAhead)))
			*r.msg = append(*r.msg, r.buf[:n]...)
			r.advance(n)
		} else if err := r.fillMessage(); err != nil {
			return err
		}
		arrived := (*r.msg)[old:]
		r.left -= int32(len(arrived))
		r.key = unmask(arrived, r.key)
		if r.op == Text && !r.deflated && !r.extendText(false) {
			return r.fail(errText)
		}
	}
	return nil
}

// fillMessage reads payload straight into the message buffer, no further than the frame goes. A buffer that is
// nearly full doubles; a new one has room for what the frame declares, up to maxAhead.
func (r *Reader) fillMessage() error {
	if r.page != nil {
		r.dropPage()
	}
	size := r.size()
	if r.msg == nil || cap(*r.msg)-size < pageSize {
		r.msg = growBuffer(r.msg, min(int(r.left), max(size, maxAhead)))
	}
	m := *r.msg
	r.buf = m[size:size:min(cap(m), size+int(r.left))]
	err := r.fill(1)
	*r.msg = m[:size+len(r.buf)]
	r.buf = nil
	return err
}

// finish hands out the message put together in r.msg.
func (r *Reader) finish() (Op, []byte, error) {
	op, deflated := r.op, r.deflated
	if deflated {
		if err := r.inflateMessage(); err != nil {
			return 0, nil, r.fail(err)
		}
	}
	if op == Text && !r.extendText(true) {
		return 0, nil, r.fail(errText)
	}
	r.op, r.deflated = Continuation, false
	if r.msg == nil {
		return op, nil, nil
	}
	return op, *r.msg, nil
}

// extendText checks the bytes of the message that have come since the last call; a rune that is cut off at the end is
// left for the next, unless this is the last.
func (r *Reader) extendText(last bool) bool {
	if r.msg == nil {
		return true
	}
	b := (*r.msg)[r.valid:]
	if !last {
		b = b[:len(b)-cutRune(b)]
	}
	r.valid += int32(len(b))
	return validText(b)
}

// cutRune returns how many bytes at the end of b begin a rune that more bytes could complete.
func cutRune(b []byte) int {
	for n := 1; n < utf8.UTFMax && n <= len(b); n++ {
		if tail := b[len(b)-n:]; utf8.RuneStart(tail[0]) {
			if utf8.FullRune(tail) {
				return 0
			}
			return n
		}
	}
	return 0
}

func validText(b []byte) bool { return utf8.Valid(b) }
