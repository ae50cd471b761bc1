package compress

import (
	"bytes"
	"compress/flate"
	stdgzip "compress/gzip"
	stdzlib "compress/zlib"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

var codings = []Encoding{Gzip, Deflate, Brotli, Zstd}

func newCompressor(tb testing.TB, o Options) *Compressor {
	tb.Helper()
	c, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// payload returns n bytes of what Engine.IO sends: JSON messages joined by 0x1e.
func payload(n int) []byte {
	var b []byte
	for i := 0; len(b) < n; i++ {
		b = fmt.Appendf(b, "42[\"message\",{\"id\":%d,\"user\":\"user%d\",\"text\":\"hello %x\",\"ts\":%d}]\x1e",
			i, i*7919%1000, i*2654435761, 1700000000+i*37)
	}
	return b[:n]
}

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

func TestRoundTrip(t *testing.T) {
	bodies := map[string][]byte{
		"empty": {}, "byte": {'4'}, "1 KB": payload(1 << 10), "150 KB": payload(300 << 10),
		"zeros": make([]byte, 256<<10), "noise": noise(100 << 10),
	}
	for _, e := range codings {
		for level := 1; level <= maxLevels[e]; level++ {
			c := newCompressor(t, Options{
				GzipLevel: level, DeflateLevel: level, BrotliLevel: min(level, 6), ZstdLevel: min(level, 3),
			})
			for name, body := range bodies {
				coded := c.Append([]byte("head"), body, e)
				if !bytes.HasPrefix(coded, []byte("head")) {
					t.Fatalf("%v %d %s: dst was overwritten", e, level, name)
				}
				got, err := AppendDecompressed([]byte("x"), coded[4:], e, len(body))
				if err != nil || !bytes.Equal(got[1:], body) || got[0] != 'x' {
					t.Fatalf("%v %d %s: %d bytes of %d, %v", e, level, name, len(got)-1, len(body), err)
				}
			}
		}
	}
}

func TestIdentity(t *testing.T) {
	c := newCompressor(t, Options{})
	if got := c.Append([]byte("a"), []byte("b"), Identity); string(got) != "ab" {
		t.Errorf("%q", got)
	}
	if got, err := AppendDecompressed([]byte("a"), []byte("bc"), Identity, 2); string(got) != "abc" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if got, err := AppendDecompressed([]byte("a"), []byte("bc"), Identity, 1); string(got) != "a" || !errors.Is(err, ErrTooLarge) {
		t.Errorf("%q, %v", got, err)
	}
}

// What we call gzip and deflate must be what everybody else calls so.
func TestStandardLibraryReads(t *testing.T) {
	c, body := newCompressor(t, Options{}), payload(10_000)
	z, err := stdgzip.NewReader(bytes.NewReader(c.Append(nil, body, Gzip)))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(z); !bytes.Equal(got, body) {
		t.Error("gzip:", err)
	}
	d, err := stdzlib.NewReader(bytes.NewReader(c.Append(nil, body, Deflate)))
	if err != nil {
		t.Fatal("deflate is not zlib:", err)
	}
	if got, err := io.ReadAll(d); !bytes.Equal(got, body) {
		t.Error("deflate:", err)
	}
}

func TestRawDeflate(t *testing.T) {
	body := payload(5000)
	var raw bytes.Buffer
	w, _ := flate.NewWriter(&raw, 6)
	_, _ = w.Write(body)
	_ = w.Close()
	for range 3 {
		if got, err := AppendDecompressed(nil, raw.Bytes(), Deflate, 5000); err != nil || !bytes.Equal(got, body) {
			t.Fatal(err)
		}
	}
}

func TestOptions(t *testing.T) {
	bad := map[string]Options{
		"gzip level 10": {GzipLevel: 10}, "gzip level -1": {GzipLevel: -1}, "deflate level 10": {DeflateLevel: 10},
		"br level 7": {BrotliLevel: 7}, "zstd level 4": {ZstdLevel: 4},
		"encoding 0": {Prefer: []Encoding{Identity}}, "encoding 9": {Prefer: []Encoding{9}},
		"twice": {Prefer: []Encoding{Gzip, Brotli, Gzip}},
	}
	for want, o := range bad {
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
	fast := newCompressor(t, Options{GzipLevel: 1, DeflateLevel: 1, BrotliLevel: 1, ZstdLevel: 1})
	for e, o := range map[Encoding]Options{
		Gzip: {GzipLevel: 9}, Deflate: {DeflateLevel: 9}, Brotli: {BrotliLevel: 6}, Zstd: {ZstdLevel: 3},
	} {
		body := payload(64 << 10)
		if bytes.Equal(fast.Append(nil, body, e), newCompressor(t, o).Append(nil, body, e)) {
			t.Errorf("%v: the level is ignored", e)
		}
	}
	if e := newCompressor(t, Options{Prefer: []Encoding{Deflate}}).Negotiate([]byte("gzip, deflate;q=0.1")); e != Deflate {
		t.Errorf("%v, want what Prefer lists", e)
	}
}

func TestLimit(t *testing.T) {
	c := newCompressor(t, Options{})
	body := payload(100_000)
	for _, e := range codings {
		coded := c.Append(nil, body, e)
		if _, err := AppendDecompressed(nil, coded, e, len(body)); err != nil {
			t.Errorf("%v: at the limit: %v", e, err)
		}
		for _, limit := range []int{-1, 0, 1, len(body) - 1} {
			dst := []byte("kept")
			got, err := AppendDecompressed(dst, coded, e, limit)
			if !errors.Is(err, ErrTooLarge) || string(got) != "kept" {
				t.Errorf("%v: limit %d: %v, %q", e, limit, err, got)
			}
		}
		if _, err := AppendDecompressed(nil, coded, e, math.MaxInt); err != nil {
			t.Errorf("%v: no limit: %v", e, err)
		}
	}
}

func TestBombCostsNothing(t *testing.T) {
	const limit = 1 << 20
	for _, e := range codings {
		bomb := newCompressor(t, Options{}).Append(nil, make([]byte, 16<<20), e)
		_, _ = AppendDecompressed(nil, bomb, e, limit) // the reader is made here
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := AppendDecompressed(nil, bomb, e, limit)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrTooLarge) {
			t.Errorf("%v: %v", e, err)
		}
		spent := after.TotalAlloc - before.TotalAlloc
		t.Logf("%v: %d KB for a bomb of %d KB", e, spent>>10, len(bomb)>>10)
		if spent > 24*limit {
			t.Errorf("%v: %d MB spent", e, spent>>20)
		}
	}
}

func TestDamaged(t *testing.T) {
	c := newCompressor(t, Options{})
	body := payload(3000)
	for _, e := range codings {
		coded := c.Append(nil, body, e)
		damaged := map[string][]byte{
			"nothing": {}, "cut": coded[:len(coded)-5], "half": coded[:len(coded)/2], "one byte": coded[:1],
			"trailing": append(bytes.Clone(coded), "trailing"...), "text": []byte("plain text is not compressed"),
		}
		for name, src := range damaged {
			if got, err := AppendDecompressed(nil, src, e, 1<<20); err == nil {
				t.Errorf("%v %s: accepted as %d bytes", e, name, len(got))
			} else if errors.Is(err, ErrTooLarge) {
				t.Errorf("%v %s: %v", e, name, err)
			}
		}
		// The readers that met the damage must still work.
		for range 2 * runtime.GOMAXPROCS(0) {
			if got, err := AppendDecompressed(nil, coded, e, 1<<20); err != nil || !bytes.Equal(got, body) {
				t.Fatalf("%v after damage: %v", e, err)
			}
		}
	}
	if _, err := AppendDecompressed(nil, []byte("x"), 99, 1); err == nil {
		t.Error("encoding 99 was accepted")
	}
}

// A burst as a broadcast to parked polls makes it: nothing may be lost.
func TestBurst(t *testing.T) {
	const calls = 12_000
	c := newCompressor(t, Options{})
	for _, e := range codings {
		if raceEnabled && e != Gzip {
			continue // the pools differ in nothing else, and the detector is slow
		}
		size := 4 << 10
		if e == Gzip {
			size = 64 << 10
		}
		if raceEnabled {
			size = 1 << 10
		}
		body := payload(size)
		want := len(c.Append(nil, body, e))
		var wrong atomic.Int64
		var wg sync.WaitGroup
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for range calls {
			wg.Go(func() {
				if got := c.Append(nil, body, e); len(got) != want {
					wrong.Add(1)
				}
			})
		}
		wg.Wait()
		runtime.ReadMemStats(&after)
		if n := wrong.Load(); n > 0 {
			t.Errorf("%v: %d of %d bodies are wrong", e, n, calls)
		}
		t.Logf("%v: heap taken from the system grew by %d MB", e, (int64(after.HeapSys)-int64(before.HeapSys))>>20)
	}
}

// A writer that panics must not take its place in the pool with it.
func TestPanicKeepsPlace(t *testing.T) {
	p := writers[Deflate][9]
	for range 3 * runtime.GOMAXPROCS(0) {
		p.Get(func() encoder { return panicking{} })
		p.Put(panicking{})
		func() {
			defer func() { _ = recover() }()
			appendEncoded(nil, []byte("x"), Deflate, 9)
			t.Error("no panic")
		}()
	}
	if got := appendEncoded(nil, []byte("x"), Deflate, 9); len(got) == 0 {
		t.Error("empty")
	}
}

type panicking struct{}

func (panicking) encode(_, _ []byte) []byte { panic("test") }

func FuzzAppendDecompressed(f *testing.F) {
	c := newCompressor(f, Options{})
	for _, e := range codings {
		f.Add(byte(e), c.Append(nil, payload(500), e))
	}
	f.Add(byte(Brotli), []byte{0x0f, 0, 0, 0})
	f.Fuzz(func(t *testing.T, e byte, src []byte) {
		const limit = 1 << 16
		coding := Encoding(e % encodings)
		got, err := AppendDecompressed([]byte("head"), src, coding, limit)
		if !bytes.HasPrefix(got, []byte("head")) || len(got) > limit+4 || err != nil && len(got) != 4 {
			t.Fatalf("%v: %d bytes, %v", coding, len(got), err)
		}
		again, err := AppendDecompressed(nil, c.Append(nil, src, coding), coding, len(src))
		if err != nil || !bytes.Equal(again, src) {
			t.Fatalf("%v: round trip: %v", coding, err)
		}
	})
}

func BenchmarkAppend(b *testing.B) {
	c := newCompressor(b, Options{})
	for _, e := range codings {
		for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%v/%dKB", e, size>>10), func(b *testing.B) {
				body, dst := payload(size), make([]byte, 0, size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					dst = c.Append(dst[:0], body, e)
				}
				b.ReportMetric(float64(size)/float64(len(dst)), "ratio")
			})
		}
	}
}

func BenchmarkAppendDecompressed(b *testing.B) {
	c := newCompressor(b, Options{})
	for _, e := range codings {
		for _, size := range []int{1 << 10, 16 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%v/%dKB", e, size>>10), func(b *testing.B) {
				coded, dst := c.Append(nil, payload(size), e), make([]byte, 0, 2*size)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					dst, _ = AppendDecompressed(dst[:0], coded, e, size)
				}
			})
		}
	}
}
