package main

import (
	"encoding/binary"
	"fmt"
)

// The opcodes that matter here.
const (
	opContinuation = 0
	opText         = 1
	opBinary       = 2
	opClose        = 8
	opPing         = 9
	opPong         = 10
)

// mask is the key of all frames. A server cannot tell that it is always the same, and has the same
// work with it; a key of zeros might be spared that.
var mask = [4]byte{0x9d, 0x2c, 0x71, 0xe8}

// appendFrame appends a client's frame, masked.
func appendFrame(dst []byte, op byte, payload []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, 0x80|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 0x80|127), uint64(n))
	}
	dst = append(dst, mask[:]...)
	for i, b := range payload {
		dst = append(dst, b^mask[i&3])
	}
	return dst
}

// header reads the header of a server's frame: the whole first byte, the header's length and the
// payload's. ok is false while it is not complete.
func header(b []byte) (first byte, head, payload int, ok bool, err error) {
	if len(b) < 2 {
		return 0, 0, 0, false, nil
	}
	if b[1]&0x80 != 0 {
		return 0, 0, 0, false, fmt.Errorf("a frame of the server is masked")
	}
	head, payload = 2, int(b[1])
	switch payload {
	case 126:
		if len(b) < 4 {
			return 0, 0, 0, false, nil
		}
		head, payload = 4, int(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if len(b) < 10 {
			return 0, 0, 0, false, nil
		}
		n := binary.BigEndian.Uint64(b[2:])
		if n > 1<<30 {
			return 0, 0, 0, false, fmt.Errorf("a frame of %d bytes", n)
		}
		head, payload = 10, int(n)
	}
	return b[0], head, payload, true, nil
}
