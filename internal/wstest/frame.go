package wstest

import (
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// The flags in the first byte of a frame, RFC 6455 section 5.2.
const (
	Fin  = 0x80
	RSV1 = 0x40
	RSV2 = 0x20
	RSV3 = 0x10
)

// The opcodes.
const (
	OpContinuation = 0
	OpText         = 1
	OpBinary       = 2
	OpClose        = 8
	OpPing         = 9
	OpPong         = 10
)

// NoStatus is the code of a close frame without one, and Abnormal that of a connection that ended without a close
// frame. Neither is ever sent.
const (
	NoStatus = 1005
	Abnormal = 1006
)

// Frame is one frame, whoever sends it. Two are the same if they are equal.
type Frame struct {
	First   byte   // flags and opcode
	Payload string // without the mask
}

// String begins with the first byte, in hexadecimal.
func (f Frame) String() string {
	return fmt.Sprintf("%#x %.60q (%d bytes)", f.First, f.Payload, len(f.Payload))
}

// Op is the opcode.
func (f Frame) Op() byte { return f.First & 0x0f }

// Text is a whole text message.
func Text(s string) Frame { return Frame{Fin | OpText, s} }

// Binary is a whole binary message.
func Binary(s string) Frame { return Frame{Fin | OpBinary, s} }

// Closing is a close frame.
func Closing(code int, reason string) Frame {
	return Frame{Fin | OpClose, string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// Fragments are the frames of a message sent in pieces of at most size bytes.
func Fragments(message Frame, size int) (frames []Frame) {
	rest, first := message.Payload, message.First&^Fin
	for len(rest) > size {
		frames = append(frames, Frame{first, rest[:size]})
		rest, first = rest[size:], OpContinuation
	}
	return append(frames, Frame{first | Fin, rest})
}

// Code is the code of a close frame.
func (f Frame) Code() int {
	if len(f.Payload) < 2 {
		return NoStatus
	}
	return int(binary.BigEndian.Uint16([]byte(f.Payload)))
}

// Append appends the frame as a client sends it: masked, with the shortest length.
func (f Frame) Append(b []byte) []byte {
	b = append(b, f.First)
	switch n := len(f.Payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := binary.BigEndian.AppendUint32(nil, rand.Uint32())
	b = append(b, key...)
	at := len(b)
	b = append(b, f.Payload...)
	for masks := bytes.Repeat(key, min(len(f.Payload), 4096)/4+1); at < len(b); { // by octets it is slow under the race detector
		at += subtle.XORBytes(b[at:], b[at:], masks[:len(masks)/4*4])
	}
	return b
}

// Encode is what a client writes for frames.
func Encode(frames ...Frame) (b []byte) {
	for _, f := range frames {
		b = f.Append(b)
	}
	return b
}
