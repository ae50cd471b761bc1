package main

import "github.com/fasteio/engineio/benchmarks/internal/stamp"

// outgoing is a row of frames with messages of one client, made once. Only the numbers change.
type outgoing struct {
	frames []byte
	frame  int // length of one
	stamps int // where the number is in a frame
	phase  int // of the mask there
}

func newOutgoing(client, size, n int) outgoing {
	packet := append([]byte("4"), stamp.Message(client, 0, size)...)
	one := appendFrame(nil, opText, packet)
	o := outgoing{frame: len(one), phase: 1 + stamp.ClientDigits}
	o.stamps = len(one) - len(packet) + o.phase
	for range n {
		o.frames = append(o.frames, one...)
	}
	return o
}

// stamp returns n frames with the messages from number first on. They are valid until the next
// call.
func (o *outgoing) stamp(first uint64, n int) []byte {
	for i := range n {
		digits := o.frames[i*o.frame+o.stamps:][:stamp.Len-stamp.ClientDigits]
		stamp.Put(digits, first+uint64(i))
		for j := range digits {
			digits[j] ^= mask[(o.phase+j)&3]
		}
	}
	return o.frames[:n*o.frame]
}
