package ws

import (
	"runtime"
	"strings"
	"testing"
)

// A message in many fragments is not copied for each of them, however large it becomes: the time that takes, with
// fragments of a few bytes, is all a client needs to keep a processor busy.
func TestJoiningFragmentsIsLinear(t *testing.T) {
	const size, fragment = 2 << 20, 1 << 10
	var in []byte
	for sent := 0; sent < size; sent += fragment {
		first := byte(0)
		if sent == 0 {
			first = byte(Binary)
		}
		if sent+fragment == size {
			first |= fin
		}
		in = clientFrame(in, first, []byte(long[:fragment]))
	}
	r := NewReader(&script{chunks: [][]byte{in}}, nil, size)
	defer r.Release()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, payload, err := r.Next()
	runtime.ReadMemStats(&after)
	if err != nil || string(payload) != strings.Repeat(long[:fragment], size/fragment) {
		t.Fatalf("%d bytes, %v", len(payload), err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 10*size {
		t.Errorf("%d bytes were allocated for a message of %d", n, size)
	}
}
