package ws

import (
	"bytes"
	"io"

	"github.com/klauspost/compress/flate"

	"github.com/fasteio/engineio/internal/lend"
)

// deflateTail is what RFC 7692 has the sender cut off, and an empty last block so that the inflater ends.
const deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

// Compressor and decompressor are borrowed for one message and never while waiting for a peer, so no more of
// them can be at work than there are processors. A writer takes 0.8 MB: under a burst a sync.Pool made thousands.
var (
	deflaters = lend.New[*deflater]()
	inflaters = lend.New[*inflater]()
)

// AcceptDeflated makes the Reader take compressed messages, as the client may send them after an answer of
// NegotiateDeflate. Call it before the first Next.
func (r *Reader) AcceptDeflated() { r.inflate = true }

// AppendDeflated appends a whole frame with the payload compressed, or as it is where that is not longer. It is for
// connections with an answer of NegotiateDeflate only. While all GOMAXPROCS compressors are busy it waits
// for one.
func AppendDeflated(dst []byte, op Op, payload []byte) []byte {
	start, gap := len(dst), HeaderLen(len(payload))
	var header [10]byte
	deflaters.Use(newDeflater, func(d *deflater) {
		d.dst = append(dst, header[:gap]...)
		d.w.Reset(d)
		d.w.Write(payload) // d does not fail
		d.w.Flush()
		dst, d.dst = d.dst, nil
	})

	size := len(dst) - start - gap - 4 // the flush ends in 00 00 ff ff
	if size >= len(payload) {
		return append(AppendHeader(dst[:start], op, len(payload)), payload...)
	}
	body := dst[start+gap : start+gap+size]
	dst = appendHeader(dst[:start], byte(op)|finBit|rsv1Bit, size) // not longer than the gap
	return append(dst, body...)
}

// deflater compresses to dst.
type deflater struct {
	w   *flate.Writer
	dst []byte
}

func newDeflater() *deflater {
	d := new(deflater)
	d.w, _ = flate.NewWriter(d, flate.BestSpeed) // fails on an unknown level only
	return d
}

func (d *deflater) Write(p []byte) (int, error) {
	d.dst = append(d.dst, p...)
	return len(p), nil
}

// inflateMessage replaces the compressed message in r.msg by what it says.
func (r *Reader) inflateMessage() *Error {
	packed := growBuffer(r.msg, len(deflateTail))
	*packed = append(*packed, deflateTail...)
	var err *Error
	inflaters.Use(newInflater, func(z *inflater) { r.msg, err = z.inflate(*packed, int(r.limit)) })
	putBuffer(packed)
	return err
}

// inflater decompresses from a buffer.
type inflater struct {
	src bytes.Reader
	r   io.Reader
}

func newInflater() *inflater {
	z := new(inflater)
	z.r = flate.NewReader(&z.src)
	return z
}

// inflate decompresses packed, a message and deflateTail, into a buffer from the pool that grows with what comes out
// and never beyond limit and one byte: a megabyte of zeros arrives as a kilobyte.
func (z *inflater) inflate(packed []byte, limit int) (*[]byte, *Error) {
	z.src.Reset(packed)
	defer z.src.Reset(nil) // or an idle inflater holds on to a message
	z.r.(flate.Resetter).Reset(&z.src, nil)
	out := getBuffer(min(limit+1, maxAhead, 4*len(packed)))
	finals := 16 + len(packed)/128 // each costs a copy of the window
	for {
		size := len(*out)
		if size == cap(*out) {
			out = growBuffer(out, min(size, limit+1-size))
		}
		n, err := z.r.Read((*out)[size:min(cap(*out), limit+1)])
		*out = (*out)[:size+n]
		switch {
		case size+n > limit:
			return out, errTooBig
		case err == io.EOF && z.ended():
			return out, nil
		case err == io.EOF && finals > 0: // of a block, RFC 7692, 7.2.1: others follow, and may refer to what was before
			finals--
			z.r.(flate.Resetter).Reset(&z.src, (*out)[max(0, size+n-window):])
		case err != nil:
			return out, &Error{Code: 1007, Reason: "data does not inflate"}
		}
	}
}

// window is how far a block may refer back.
const window = 32 << 10

// ended reports whether the end of a final block is the end of the message. A sender that sets the final bit in its own
// last block must add a zero byte (RFC 7692, 7.2.3.5), which with deflateTail is two more blocks; some forget it.
func (z *inflater) ended() bool { return z.src.Len() == 0 || z.src.Len() == len(deflateTail) }

// deflatedLimit bounds the compressed size of a message of limit bytes: data that does not compress grows, by an eighth
// at worst with the fixed code of deflate.
func deflatedLimit(limit int64) int64 { return limit + limit>>3 + 64 }
