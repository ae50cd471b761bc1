package main

import (
	"bytes"
	"fmt"
	"strconv"
)

// separator is between the packets of a revision 4 payload.
const separator = 0x1e

// appendPacket appends a packet to a polling payload.
func appendPacket(dst []byte, revision int, packet []byte) []byte {
	if revision == 3 {
		dst = append(strconv.AppendInt(dst, int64(len(packet)), 10), ':') // of UTF-16 units; all is ASCII here
	} else if len(dst) > 0 {
		dst = append(dst, separator)
	}
	return append(dst, packet...)
}

// packets hands f the packets of a polling payload, one by one, until it fails.
func packets(body []byte, revision int, f func(packet []byte) error) error {
	for len(body) > 0 {
		var packet []byte
		var err error
		switch {
		case revision == 4:
			packet, body, _ = bytes.Cut(body, []byte{separator})
		case body[0] < 2:
			packet, body, err = cutBinary(body)
		default:
			packet, body, err = cutText(body)
		}
		if err == nil && len(packet) == 0 {
			err = fmt.Errorf("an empty packet")
		}
		if err == nil {
			err = f(packet)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cutText takes "<length>:<packet>" off a payload of revision 3.
func cutText(body []byte) (packet, rest []byte, err error) {
	digits, _, found := bytes.Cut(body[:min(len(body), 20)], []byte(":"))
	n, err := strconv.Atoi(string(digits))
	if !found || err != nil || n < 0 || len(digits)+1+n > len(body) {
		return nil, nil, fmt.Errorf("a payload with a wrong length: %.40q", body)
	}
	rest = body[len(digits)+1:]
	return rest[:n], rest[n:], nil
}

// cutBinary takes a packet off a payload of revision 3 in its binary form: a byte 0 for text, the
// length in digits of values 0 to 9, 0xff, the packet. Some servers send nothing else.
func cutBinary(body []byte) (packet, rest []byte, err error) {
	n, i := 0, 1
	for ; i < len(body) && body[i] < 10 && i < 10; i++ {
		n = n*10 + int(body[i])
	}
	if i == len(body) || body[i] != 0xff || body[0] != 0 || i+1+n > len(body) {
		return nil, nil, fmt.Errorf("a payload that is no text in the binary form: %.40q", body)
	}
	rest = body[i+1:]
	return rest[:n], rest[n:], nil
}
