package chaos_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
)

// A letter is a message of the test. It says whose it is, so that one that goes astray is noticed.
type letter struct {
	token string // the visit it belongs to, everybody for broadcasts
	kind  byte
	order byte // what the server is to do about it
	seq   uint64
}

const everybody = "all"

// The kinds of letters. Each has its own numbers.
const (
	kindUp    = 'u' // client to server
	kindTwice = 'x' // client to server, sent twice by the client's own doing
	kindDown  = 'd' // server to client
	kindEcho  = 'e' // server to client, with the number of what it answers
	kindAll   = 'b' // server to everybody
)

// The orders in a letter.
const (
	orderNone       = '-'
	orderSlow       = 's' // block for a while
	orderFlood      = 'f' // send much
	orderPanic      = 'p'
	orderClose      = 'c'
	orderCloseNow   = 'n'
	orderDisconnect = 'd'
	orderLater      = 'C' // close from another goroutine in a moment
	orderLaterNow   = 'N'
)

// append writes the letter with its checksum and a pad behind it.
func (l letter) append(dst, pad []byte, binary bool) []byte {
	start := len(dst)
	dst = fmt.Appendf(dst, "%s %c%c %d ", l.token, l.kind, l.order, l.seq)
	sum := checksum(dst[start:], pad, binary)
	dst = fmt.Appendf(dst, "%08x ", sum)
	return append(dst, pad...)
}

func checksum(head, pad []byte, binary bool) uint32 {
	sum := crc32.Update(0, crc32.IEEETable, head)
	if binary {
		sum = crc32.Update(sum, crc32.IEEETable, []byte{1})
	}
	return crc32.Update(sum, crc32.IEEETable, pad)
}

// read is the letter in a message. It fails on the smallest damage.
func read(data []byte, binary bool) (l letter, err error) {
	fields := bytes.SplitN(data, []byte(" "), 5)
	if len(fields) != 5 || len(fields[1]) != 2 {
		return l, fmt.Errorf("no letter: %.80q", data)
	}
	l.token, l.kind, l.order = string(fields[0]), fields[1][0], fields[1][1]
	if l.seq, err = strconv.ParseUint(string(fields[2]), 10, 64); err != nil {
		return l, fmt.Errorf("no letter: %.80q", data)
	}
	head := data[:len(fields[0])+1+len(fields[1])+1+len(fields[2])+1]
	if want := fmt.Sprintf("%08x", checksum(head, fields[4], binary)); want != string(fields[3]) {
		return l, fmt.Errorf("a damaged letter of %d bytes, binary %v: %.80q", len(data), binary, data)
	}
	return l, nil
}

// Pads are cut out of these, texts at multiples of 4.
const (
	padMax   = 200 << 10
	padSmall = 1 << 10
)

var textPad, binaryPad = makePads()

func makePads() (text, binary []byte) {
	rng := rand.New(rand.NewPCG(1, 1))
	units := []string{"abcd", "efg ", "€a", "éß", "😀", "\"\\\n{", "1234", "0:b4"}
	for len(text) < 2*padMax {
		text = append(text, units[rng.IntN(len(units))]...)
	}
	for len(binary) < 2*padMax {
		binary = append(binary, byte(rng.Uint32()))
	}
	return text, binary
}

// A size draws the length of a pad.
type size func(*rand.Rand) int

// upTo is mostly small, now and then as large as it may be.
func upTo(most int) size {
	return func(rng *rand.Rand) (n int) {
		switch p := rng.IntN(100); {
		case p < 70:
			n = rng.IntN(64)
		case p < 90:
			n = rng.IntN(padSmall)
		case p < 98:
			n = rng.IntN(16 << 10)
		default:
			n = rng.IntN(padMax)
		}
		return min(n, most)
	}
}

func exactly(n int) size { return func(*rand.Rand) int { return n } }

// pad cuts one out.
func pad(rng *rand.Rand, n size) (pad []byte, binary bool) {
	length, from, binary := n(rng), rng.IntN(padMax/4)*4, rng.IntN(3) == 0
	if binary {
		return binaryPad[from : from+length], true
	}
	return textPad[from : from+length/4*4], false
}
