package chaos_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/fasteio/engineio/internal/compress"
	"github.com/fasteio/engineio/internal/ws"
)

// prime has every coder of the process made and grown: they stay, there are as many as processors, and which of
// them a wave needs is chance. Without it the heap would grow by some of 10 MB at some time.
func prime(t *testing.T) {
	packer, err := compress.New(compress.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 * runtime.GOMAXPROCS(0) {
		all.Go(func() {
			for _, src := range [][]byte{textPad, binaryPad, append(binaryPad[:padMax:padMax], textPad...)} {
				for _, coding := range []compress.Encoding{compress.Gzip, compress.Deflate, compress.Brotli, compress.Zstd} {
					packer.Append(nil, src, coding)
				}
				ws.AppendDeflated(nil, ws.Binary, src)
			}
		})
	}
	all.Wait()
}
