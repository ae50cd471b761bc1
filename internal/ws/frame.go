// Package ws is the server side of RFC 6455 and RFC 7692 for an engine that owns the connection: a Reader for
// what the client sends, and functions that append what the server sends. The handshake is package wshandshake.
//
// It starts no goroutine and answers nothing by itself: pings and close frames are up to the one writer that the
// engine has, and so are deadlines.
package ws

import (
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Op is a frame's opcode.
type Op byte

// The opcodes of RFC 6455.
const (
	Continuation Op = 0
	Text         Op = 1
	Binary       Op = 2
	Close        Op = 8
	Ping         Op = 9
	Pong         Op = 10
)

const (
	finBit  = 0x80
	rsv1Bit = 0x40
	maskBit = 0x80

	maxControl = 125 // payload bytes of a control frame
	maxReason  = maxControl - 2
	maxHeader  = 14 // 2, 8 of length, 4 of mask
)

// HeaderLen returns the size of a server frame's header for n payload bytes: 2, 4 or 10.
func HeaderLen(n int) int {
	switch {
	case n <= 125:
		return 2
	case n <= 0xffff:
		return 4
	default:
		return 10
	}
}

// AppendHeader appends the header of an unfragmented, unmasked frame with n payload bytes. The payload
// follows it on the wire as it is.
func AppendHeader(dst []byte, op Op, n int) []byte {
	return appendHeader(dst, byte(op)|finBit, n)
}

func appendHeader(dst []byte, first byte, n int) []byte {
	switch HeaderLen(n) {
	case 2:
		return append(dst, first, byte(n))
	case 4:
		return append(dst, first, 126, byte(n>>8), byte(n))
	default:
		return binary.BigEndian.AppendUint64(append(dst, first, 127), uint64(n))
	}
}

// AppendClose appends a whole close frame. The reason is made valid UTF-8 and cut to 123 bytes at a rune
// boundary. Code 0, and 1005 which stands for the absence of a code, give a frame without payload.
func AppendClose(dst []byte, code int, reason string) []byte {
	if code == 0 || code == 1005 {
		return AppendHeader(dst, Close, 0)
	}
	reason = strings.ToValidUTF8(reason, "\uFFFD")
	if n := maxReason; len(reason) > n {
		for !utf8.RuneStart(reason[n]) {
			n--
		}
		reason = reason[:n]
	}
	dst = AppendHeader(dst, Close, 2+len(reason))
	dst = append(dst, byte(code>>8), byte(code))
	return append(dst, reason...)
}

// Split takes the first frame off b, which must start with a whole frame made by AppendHeader and its
// payload, or by AppendClose. The results are subslices of b. Anything else, compressed frames included,
// is a bug in the caller and panics.
func Split(b []byte) (op Op, payload, rest []byte) {
	if len(b) < 2 || b[0]&0xf0 != finBit || b[1]&maskBit != 0 {
		panic("ws: Split: not a frame of ours")
	}
	n, at := uint64(b[1]), 2
	switch {
	case n == 126 && len(b) >= 4:
		n, at = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case n == 127 && len(b) >= 10:
		n, at = binary.BigEndian.Uint64(b[2:]), 10
	case n > 125:
		panic("ws: Split: short header")
	}
	if n > uint64(len(b)-at) {
		panic("ws: Split: short payload")
	}
	end := at + int(n)
	return Op(b[0] & 0x0f), b[at:end:end], b[end:]
}

// header is a client frame's header.
type header struct {
	op   Op
	fin  bool
	rsv1 bool
	len  int    // bytes of the header itself
	size int64  // bytes of payload
	key  uint32 // mask, little endian
}

// parseHeader reads the header at the start of b. It refuses what is wrong for a frame by itself, with the
// first byte that shows it; h.len is 0 when b holds a part only. Lengths that could be shorter are accepted:
// only the sender breaks a rule there, and small embedded clients do.
func parseHeader(b []byte) (h header, err *Error) {
	if len(b) == 0 {
		return h, nil
	}
	h.op, h.fin, h.rsv1 = Op(b[0]&0x0f), b[0]&finBit != 0, b[0]&rsv1Bit != 0
	switch {
	case b[0]&0x30 != 0:
		return h, protocolError("reserved bits set")
	case h.op > Binary && h.op < Close || h.op > Pong:
		return h, protocolError("unknown opcode")
	case h.op >= Close && !h.fin:
		return h, protocolError("fragmented control frame")
	case len(b) == 1:
		return h, nil
	case b[1]&maskBit == 0:
		return h, protocolError("frame without mask")
	case h.op >= Close && b[1]&0x7f > maxControl:
		return h, protocolError("control frame too long")
	}
	n := 6
	switch size := b[1] & 0x7f; size {
	case 126:
		if n = 8; len(b) >= 4 {
			h.size = int64(binary.BigEndian.Uint16(b[2:]))
		}
	case 127:
		if len(b) > 2 && b[2]&0x80 != 0 {
			return h, protocolError("length out of range")
		}
		if n = maxHeader; len(b) >= 10 {
			h.size = int64(binary.BigEndian.Uint64(b[2:]))
		}
	default:
		h.size = int64(size)
	}
	if len(b) >= n {
		h.len, h.key = n, binary.LittleEndian.Uint32(b[n-4:])
	}
	return h, nil
}
