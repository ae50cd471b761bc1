// Package bytebuffer is a pool of buffers to encode into.
package bytebuffer

import "sync"

const (
	newSize   = 1 << 10  // capacity of a new buffer, bytes
	maxPooled = 64 << 10 // largest capacity that goes back to the pool, bytes
)

// Buffer is a pooled destination for encoders. The zero value is an empty buffer.
type Buffer struct {
	// B is the content. Its owner may append to it, reslice it and replace it.
	B []byte

	released bool
}

// A pool works if its entries cost about the same: one payload of a megabyte must not keep a
// megabyte alive behind every small one, hence maxPooled.
var buffers = sync.Pool{New: func() any { return &Buffer{B: make([]byte, 0, newSize)} }}

// Acquire returns a buffer whose B is empty. The caller owns it, and may hand it back
// with [Release].
func Acquire() *Buffer {
	b := buffers.Get().(*Buffer)
	b.released = false
	return b
}

// Release gives b to other callers of [Acquire]. Neither b nor b.B nor a slice of it,
// the Data of packets decoded from it included, may be used afterwards. A buffer of more than
// 64 KiB of capacity is left to the garbage collector instead.
//
// It panics if b was released before: the buffer would have two owners.
func Release(b *Buffer) {
	if b.released {
		panic("bytebuffer: buffer released twice")
	}
	b.released = true
	if cap(b.B) > maxPooled {
		b.B = nil
		return
	}
	b.B = b.B[:0]
	buffers.Put(b)
}
