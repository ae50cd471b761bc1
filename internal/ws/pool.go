package ws

import (
	"math/bits"
	"sync"
)

// pageSize is the read buffer of a connection that has something to say. Over loopback, ns per message
// streamed with pages of 4, 8 and 16 KiB: 89, 77, 73 for 64 bytes; 737, 384, 315 for 1 KiB; 5284, 4730, 6194
// for 16 KiB. 8 takes most of the gain at half the memory of 16.
const pageSize = 8 << 10

// largePage is for a connection whose last page met a frame that did not fit: several of those at a read.
// Messages of 16 KiB, 8 under way, cost the echo server 13 us each with it and 21 without.
const largePage = 64 << 10

// Message buffers come in powers of two, each with a pool of its own, so that a pool's entries cost the same.
// What is larger than the largest is left to the garbage collector.
const (
	minBufferBits = 12 // 4 KiB
	maxBufferBits = 20 // 1 MiB: the default limit of a message, 1,000,000 bytes, fits
)

var buffers [maxBufferBits - minBufferBits + 1]sync.Pool

// getBuffer returns an empty buffer with room for n bytes or more.
func getBuffer(n int) *[]byte {
	class := max(bits.Len(uint(max(n, 1)-1)), minBufferBits)
	if class > maxBufferBits {
		b := make([]byte, 0, n)
		return &b
	}
	if b, ok := buffers[class-minBufferBits].Get().(*[]byte); ok {
		return b
	}
	b := make([]byte, 0, 1<<class)
	return &b
}

// putBuffer takes back a buffer from getBuffer. Its capacity is still the class.
func putBuffer(b *[]byte) {
	class := bits.Len(uint(cap(*b)) - 1)
	if class > maxBufferBits {
		return
	}
	*b = (*b)[:0]
	buffers[class-minBufferBits].Put(b)
}

// growBuffer makes room for n more bytes behind those in b and returns the buffer to go on with; b is given
// back if it is another one.
func growBuffer(b *[]byte, n int) *[]byte {
	if b == nil {
		return getBuffer(n)
	}
	need := len(*b) + n
	if need <= cap(*b) {
		return b
	}
	bigger := getBuffer(max(need, cap(*b)+cap(*b)/4)) // many small fragments must not mean many copies
	*bigger = append(*bigger, *b...)
	putBuffer(b)
	return bigger
}
