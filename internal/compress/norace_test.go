//go:build !race

package compress

import "testing"

const raceEnabled = false

func TestAppendAllocs(t *testing.T) {
	c := newCompressor(t, Options{})
	body := payload(16 << 10)
	dst, plain := make([]byte, 0, len(body)), make([]byte, 0, 2*len(body))
	for e := Identity; e < encodings; e++ {
		coded := c.Append(nil, body, e)
		if n := testing.AllocsPerRun(50, func() { dst = c.Append(dst[:0], body, e) }); n > 0 {
			t.Errorf("Append %q: %v allocations", e, n)
		}
		n := testing.AllocsPerRun(50, func() { plain, _ = AppendDecompressed(plain[:0], coded, e, len(body)) })
		t.Logf("AppendDecompressed %q: %v allocations", e, n)
	}
}
