package compress

import (
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/fasteio/engineio/internal/lend"
)

// Windows of the two codings whose writers grow with theirs. Bodies are rarely larger, and with the
// defaults of the libraries a writer that has seen 256 KB once weighs 9 MB (brotli 2) and 5 MB
// (zstd 1) for ever, against 1.2 MB and 1.1 MB, at the same ratio.
const (
	brotliWindowBits = 18
	zstdWindow       = 512 << 10
)

var writers = func() (all [encodings][maxLevel + 1]*lend.Pool[encoder]) {
	for e := range all {
		for level := range all[e] {
			all[e][level] = lend.New[encoder]()
		}
	}
	return all
}()

// encoder turns a body into one complete stream.
type encoder interface {
	encode(dst, src []byte) []byte
}

func appendEncoded(dst, src []byte, e Encoding, level int) []byte {
	p := writers[e][level]
	w := p.Get(func() encoder { return newEncoder(e, level) })
	whole := false
	defer func() {
		if whole {
			p.Put(w)
		} else {
			p.Drop() // a panic left w in a state nobody knows
		}
	}()
	dst = w.encode(dst, src)
	whole = true
	return dst
}

func newEncoder(e Encoding, level int) encoder {
	switch e {
	case Gzip:
		w, err := gzip.NewWriterLevel(nil, level)
		must(err)
		return &streamEncoder{w: w}
	case Deflate:
		w, err := zlib.NewWriterLevel(nil, level)
		must(err)
		return &streamEncoder{w: w}
	case Brotli:
		return &streamEncoder{w: brotli.NewWriterOptions(nil, brotli.WriterOptions{
			Quality: level, LGWin: brotliWindowBits,
		})}
	case Zstd:
		w, err := zstd.NewWriter(nil,
			zstd.WithEncoderLevel(zstd.EncoderLevel(level)),
			zstd.WithWindowSize(zstdWindow),
			zstd.WithEncoderConcurrency(1),
			zstd.WithLowerEncoderMem(true),
			zstd.WithZeroFrames(true)) // else an empty body becomes no stream at all
		must(err)
		return &zstdEncoder{w: w}
	}
	panic(fmt.Sprintf("compress: encoding %d", e))
}

// streamEncoder adapts the writers that know io.Writer alone.
type streamEncoder struct {
	w interface {
		io.WriteCloser
		Reset(io.Writer)
	}
	out appender
}

func (s *streamEncoder) encode(dst, src []byte) []byte {
	s.out = dst
	s.w.Reset(&s.out)
	_, err := s.w.Write(src)
	must(err)
	must(s.w.Close())
	dst, s.out = s.out, nil // the bytes are the caller's again
	return dst
}

// zstdEncoder uses the streaming half of the library's: EncodeAll takes its state out of a channel, which belongs to
// a synctest bubble if that is where the first body was compressed.
type zstdEncoder struct {
	w   *zstd.Encoder
	out appender
}

func (z *zstdEncoder) encode(dst, src []byte) []byte {
	z.out = dst
	z.w.ResetContentSize(&z.out, int64(len(src)))
	_, err := z.w.Write(src)
	must(err)
	must(z.w.Close())
	dst, z.out = z.out, nil
	return dst
}

// appender is an io.Writer that cannot fail.
type appender []byte

func (a *appender) Write(p []byte) (int, error) {
	*a = append(*a, p...)
	return len(p), nil
}

// must holds where an error can only be a bug: levels are checked by New, and writing to memory does
// not fail. A body that is cut short in silence would be worse than a panic.
func must(err error) {
	if err != nil {
		panic("compress: " + err.Error())
	}
}
