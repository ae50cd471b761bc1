package codec

import "testing"

func TestBuffer(t *testing.T) {
	b := AcquireBuffer()
	b.B = append(b.B, "content"...)
	ReleaseBuffer(b)
	if len(b.B) != 0 {
		t.Errorf("released with %d bytes", len(b.B))
	}
	for range 100 {
		if b := AcquireBuffer(); len(b.B) != 0 {
			t.Fatalf("acquired with %d bytes", len(b.B))
		}
	}
}

func TestBufferTooLarge(t *testing.T) {
	b := &Buffer{B: make([]byte, maxPooled+1)}
	ReleaseBuffer(b)
	if b.B != nil {
		t.Error("a large buffer is kept")
	}
	for range 100 {
		if AcquireBuffer() == b {
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
	ReleaseBuffer(b)
	ReleaseBuffer(b)
}
