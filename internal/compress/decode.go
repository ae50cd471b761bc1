package compress

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/fasteio/engineio/internal/lend"
)

// ErrTooLarge says that a body does not fit the limit of AppendDecompressed, or that its window alone
// is larger than the 8 MB RFC 9659 asks a receiver to accept.
var ErrTooLarge = errors.New("compress: decompressed body is larger than the limit")

var errTrailing = errors.New("bytes after the end of the stream")

// AppendDecompressed appends the body that src holds in coding e to dst and returns the extended
// slice. On an error it returns dst as it was.
//
// A body of more than limit bytes is ErrTooLarge; decoding stops at the limit, so a bomb costs
// about twice the limit in memory beside the reader's window. A cut or damaged stream and bytes behind its
// end are errors too. For Deflate a raw stream is read like a zlib one, because some servers send it.
// dst and src must not overlap; neither is kept. Like Append, at most GOMAXPROCS calls of one coding run at a time.
func AppendDecompressed(dst, src []byte, e Encoding, limit int) ([]byte, error) {
	if e >= encodings {
		return dst, fmt.Errorf("compress: unknown encoding %d", e)
	}
	if e == Identity {
		if len(src) > limit {
			return dst, ErrTooLarge
		}
		return append(dst, src...), nil
	}

	p := readers[e]
	d := p.Get(func() *decoder { return newDecoder(e) })
	reusable := false
	defer func() {
		if reusable {
			p.Put(d)
		} else {
			p.Drop()
		}
	}()
	out, err := d.decode(dst, src, limit)
	reusable = e == Zstd || err == nil && !(e == Brotli && brotliWindow(src[0]) > maxKeptWindowBits)
	if err == nil {
		return out, nil
	}
	if errors.Is(err, ErrTooLarge) || errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return dst, ErrTooLarge
	}
	return dst, fmt.Errorf("compress: %s: %w", e, err)
}

var readers = func() (all [encodings]*lend.Pool[*decoder]) {
	for e := range all {
		all[e] = lend.New[*decoder]()
	}
	all[Zstd] = lend.Filled(func() *decoder { return newDecoder(Zstd) }) // it owns a channel; 1.4 KB until it is used
	return all
}()

const (
	maxWindow         = 8 << 20
	maxKeptWindowBits = 22 // a brotli reader that met a 16 MB window is not kept
)

// decoder is a reusable reader of one coding.
type decoder struct {
	encoding Encoding
	src      bytes.Reader
	raw      io.ReadCloser // Deflate without the zlib frame
	r        io.Reader     // but for Zstd made at the first use, because constructors read the header
}

func newDecoder(e Encoding) *decoder {
	d := &decoder{encoding: e}
	if e == Zstd {
		r, err := zstd.NewReader(nil,
			zstd.WithDecoderConcurrency(1), // no goroutine of its own
			zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxWindow))
		must(err)
		d.r = r
	}
	return d
}

func (d *decoder) decode(dst, src []byte, limit int) ([]byte, error) {
	if len(src) == 0 {
		return nil, io.ErrUnexpectedEOF
	}
	d.src.Reset(src)
	defer d.src.Reset(nil)
	r, err := d.open(src)
	if err == nil {
		dst, err = appendAll(dst, r, limit, len(src))
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err == nil && d.src.Len() > 0 {
		err = errTrailing
	}
	return dst, err
}

// open readies the reader of the coding for d.src, which holds src.
func (d *decoder) open(src []byte) (io.Reader, error) {
	var err error
	switch d.encoding {
	case Gzip:
		if d.r == nil {
			d.r = new(gzip.Reader)
		}
		err = d.r.(*gzip.Reader).Reset(&d.src)
	case Deflate:
		return d.openDeflate(src)
	case Brotli:
		if d.r == nil {
			d.r = new(brotli.Reader)
		}
		err = d.r.(*brotli.Reader).Reset(&d.src)
	case Zstd:
		err = d.r.(*zstd.Decoder).Reset(&d.src)
	}
	return d.r, err
}

func (d *decoder) openDeflate(src []byte) (io.Reader, error) {
	if !zlibFramed(src) {
		if d.raw == nil {
			d.raw = flate.NewReader(&d.src)
			return d.raw, nil
		}
		return d.raw, d.raw.(flate.Resetter).Reset(&d.src, nil)
	}
	if d.r == nil {
		r, err := zlib.NewReader(&d.src)
		if err == nil {
			d.r = r
		}
		return r, err
	}
	return d.r, d.r.(zlib.Resetter).Reset(&d.src, nil)
}

// zlibFramed reports whether b starts with the two bytes of RFC 1950. A raw stream of an HTTP server
// does not: its first block would have to be a stored one with odd padding.
func zlibFramed(b []byte) bool {
	return len(b) >= 2 && b[0]&0x0f == 8 && b[0]>>4 <= 7 && (int(b[0])<<8|int(b[1]))%31 == 0
}

// brotliWindow returns the window bits a brotli stream announces in its first byte (RFC 7932 9.1).
func brotliWindow(b byte) int {
	switch n, m := int(b>>1&7), int(b>>4&7); {
	case b&1 == 0:
		return 16
	case n != 0:
		return 17 + n
	case m != 0:
		return 8 + m
	}
	return 17
}

// appendAll reads r to its end, but not more than limit bytes and the one that proves there are more.
func appendAll(dst []byte, r io.Reader, limit, hint int) ([]byte, error) {
	start := len(dst)
	dst = slices.Grow(dst, max(1, min(limit, 3*hint)))
	for {
		if len(dst) == cap(dst) {
			got := len(dst) - start
			dst = slices.Grow(dst, max(512, min(got, limit-got+1))) // doubled, as far as it can be needed
		}
		free := dst[len(dst):cap(dst)]
		if room := limit - (len(dst) - start); room < len(free) {
			free = free[:max(0, room)+1]
		}
		n, err := r.Read(free)
		dst = dst[:len(dst)+n]
		switch {
		case len(dst)-start > limit:
			return nil, ErrTooLarge
		case err == io.EOF:
			return dst, nil
		case err != nil:
			return nil, err
		}
	}
}
