package codec

import (
	"encoding/base64"
	"strconv"
)

const (
	// maxDigits bounds the length prefixes of revision 3: 2^53 - 1, the largest length that
	// JavaScript can count, has 16 digits. It keeps the value within 64 bits.
	maxDigits = 16
	// lengthEnd ends the length of a packet in Binary3.
	lengthEnd = 0xff
)

// The first byte of a packet in Binary3.
const (
	kindText   = 0
	kindBinary = 1
)

func appendText3(payload []byte, p Packet) []byte {
	n := 2 + base64.StdEncoding.EncodedLen(len(p.Data))
	if !p.Binary {
		n = 1 + utf16Len(p.Data)
	}
	payload = strconv.AppendInt(payload, int64(n), 10)
	return V3.AppendText(append(payload, ':'), p)
}

func appendBinary3(payload []byte, p Packet) []byte {
	kind := byte(kindText)
	if p.Binary {
		kind = kindBinary
	}
	payload = append(payload, kind)
	digits := len(payload)
	payload = strconv.AppendInt(payload, int64(1+len(p.Data)), 10)
	for i := digits; i < len(payload); i++ {
		payload[i] -= '0'
	}
	return V3.AppendMessage(append(payload, lengthEnd), p)
}

// nextText3 skips entries of length 0: the reference writes "0:" for a payload of no
// packets, and ignores such entries wherever they are.
func (d *Decoder) nextText3() (Packet, error) {
	for len(d.rest) > 0 {
		units, body, err := cutLength(d.rest, '0', ':')
		if err != nil {
			return Packet{}, err
		}
		n, ok := utf16Prefix(body, units)
		if !ok {
			return Packet{}, ErrLength
		}
		d.rest, d.first = body[n:], false
		if n > 0 {
			return V3.decodeText(body[:n:n], d.valid)
		}
	}
	return Packet{}, d.end()
}

func (d *Decoder) nextBinary3() (Packet, error) {
	if len(d.rest) == 0 {
		return Packet{}, d.end()
	}
	kind := d.rest[0]
	if kind > kindBinary {
		return Packet{}, ErrType
	}
	n, body, err := cutLength(d.rest[1:], 0, lengthEnd)
	if err != nil {
		return Packet{}, err
	}
	d.rest = body[n:]
	if kind == kindBinary {
		return decodeBinary3(body[:n:n])
	}
	return V3.decodeText(body[:n:n], false)
}

// cutLength cuts a decimal length off b: digits, of which the smallest is zero, up to end.
// The length does not exceed what follows it: bytes are counted in bytes, and a UTF-16 code
// unit takes at least one.
func cutLength(b []byte, zero, end byte) (n int, body []byte, err error) {
	var length int64
	for i, c := range b {
		if c == end && i > 0 {
			body = b[i+1:]
			if length > int64(len(body)) {
				break
			}
			return int(length), body, nil
		}
		digit := c - zero // wraps around below zero
		if digit > 9 || i == maxDigits {
			break
		}
		length = length*10 + int64(digit)
	}
	return 0, nil, ErrLength
}
