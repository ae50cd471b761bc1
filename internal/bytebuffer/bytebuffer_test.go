package bytebuffer

import "testing"

func TestBuffer(t *testing.T) {
	b := Acquire()
	b.B = append(b.B, "content"...)
	Release(b)
	if len(b.B) != 0 {
		t.Errorf("released with %d bytes", len(b.B))
	}
	for range 100 {
		if b := Acquire(); len(b.B) != 0 {
			t.Fatalf("acquired with %d bytes", len(b.B))
		}
	}
}

func TestBufferTooLarge(t *testing.T) {
	b := &Buffer{B: make([]byte, maxPooled+1)}
	Release(b)
	if b.B != nil {
		t.Error("a large buffer is kept")
	}
	for range 100 {
		if Acquire() == b {
			t.Fatal("a large buffer went to the pool")
		}
	}
}

func TestBufferReleasedTwice(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b := &Buffer{B: make([]byte, maxPooled+1)} // does not go to the pool, so no one can acquire it
	Release(b)
	Release(b)
}

func TestNoAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes a sync.Pool drop buffers")
	}
	if n := testing.AllocsPerRun(1000, func() {
		b := Acquire()
		b.B = append(b.B, "payload"...)
		Release(b)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkBuffer(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Release(Acquire())
	}
}
