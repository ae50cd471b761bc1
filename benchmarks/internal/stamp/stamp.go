// Package stamp makes the messages of a load test so that each can be told from every other, and
// checks that they arrive as they were and in order.
package stamp

import (
	"bytes"
	"fmt"
	"strconv"
)

// A message begins with its client's number in ClientDigits hexadecimal digits, then its own; both
// together are Len bytes. Text that is the same for all follows.
const (
	ClientDigits = 6
	Len          = 16
)

const hexDigits = "0123456789abcdef"

// Put writes v into all of dst, in hexadecimal with leading zeros.
func Put(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = hexDigits[v&15]
		v >>= 4
	}
}

// Message is message number seq of a client, size bytes, Len at least.
func Message(client int, seq uint64, size int) []byte {
	m := padding(size)
	Put(m[:ClientDigits], uint64(client))
	Put(m[ClientDigits:Len], seq)
	return m
}

// padding is text without a period that a shifted or repeated piece could hide in.
func padding(n int) []byte {
	p := make([]byte, n)
	x := uint32(2463534242)
	for i := range p {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		p[i] = 'a' + byte(x>>8)%26
	}
	return p
}

// Checker tells whether the messages of one client come as they were and in order, from number 0
// on. It belongs to one goroutine.
type Checker struct {
	next   uint64
	expect []byte // the next message; its number is set by Check
}

// NewChecker makes a Checker for messages of that size.
func NewChecker(client, size int) *Checker {
	return &Checker{expect: Message(client, 0, size)}
}

// Check takes the next message; an error says how it is not the one expected.
func (c *Checker) Check(m []byte) error {
	Put(c.expect[ClientDigits:Len], c.next)
	if !bytes.Equal(m, c.expect) {
		return c.explain(m)
	}
	c.next++
	return nil
}

func (c *Checker) explain(m []byte) error {
	if len(m) >= Len && bytes.Equal(m[:ClientDigits], c.expect[:ClientDigits]) {
		seq, err := strconv.ParseUint(string(m[ClientDigits:Len]), 16, 64)
		if err == nil && seq != c.next {
			return fmt.Errorf("message %d came when %d was due", seq, c.next)
		}
	}
	return fmt.Errorf("message %d is wrong: %d bytes %.40q, want %d bytes %.40q",
		c.next, len(m), m, len(c.expect), c.expect)
}
