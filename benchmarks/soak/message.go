package main

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// A broadcast begins with its number, as package stamp writes it, and the time it was made at.
// stamped is the length of both, and largest what clients have room for.
const (
	stamped = stamp.Len + 16
	largest = 400
)

// newMessage is broadcast number seq, made now.
func newMessage(seq uint64, size int) string {
	m := stamp.Message(0, seq, size)
	stamp.Put(m[stamp.Len:stamped], uint64(now()))
	return string(m)
}

// A judge knows what broadcasts look like. One serves all sessions of a process.
type judge struct{ pattern []byte }

func newJudge(size int) *judge { return &judge{stamp.Message(0, 0, size)} }

// read checks a broadcast, and returns its number and the time it was made at.
func (j *judge) read(m []byte) (seq uint64, made time.Duration, err error) {
	p := j.pattern
	if len(m) != len(p) || !bytes.Equal(m[:stamp.ClientDigits], p[:stamp.ClientDigits]) ||
		!bytes.Equal(m[stamped:], p[stamped:]) {
		return 0, 0, fmt.Errorf("a broadcast is wrong: %d bytes %.60q", len(m), m)
	}
	seq, err = strconv.ParseUint(string(m[stamp.ClientDigits:stamp.Len]), 16, 64)
	if err == nil {
		var t uint64
		t, err = strconv.ParseUint(string(m[stamp.Len:stamped]), 16, 63)
		made = time.Duration(t)
	}
	return seq, made, err
}
