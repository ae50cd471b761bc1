package benchmarks

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fasteio/engineio/internal/compress"
)

// chatter is text as chats have it: it repeats itself, but not word for word.
func chatter(size int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, `4{"id":%d,"room":"r%d","user":"u%d","text":"message number %d of many","at":17%08d}`, i*7919, i%13, i%97, i, i*104729%100_000_000)
		b.WriteByte(0x1e)
	}
	return b.Bytes()[:size]
}

// The size of the output, in percent of the input, is reported beside the time.
func BenchmarkCompress(b *testing.B) {
	c, err := compress.New(compress.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for _, coding := range []compress.Encoding{compress.Gzip, compress.Deflate, compress.Brotli, compress.Zstd} {
		for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%s/%d", coding, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				src := chatter(size)
				var dst []byte
				for b.Loop() {
					dst = c.Append(dst[:0], src, coding)
				}
				b.ReportMetric(100*float64(len(dst))/float64(size), "%size")
			})
		}
	}
}
