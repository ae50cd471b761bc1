package abuse

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

// Opcodes and the other bits of a frame's first byte, RFC 6455 section 5.2.
const (
	fin, rsv1, rsv2, rsv3 = 0x80, 0x40, 0x20, 0x10

	opContinuation, opText, opBinary, opClose, opPing, opPong = 0, 1, 2, 8, 9, 10
)

// frame is a frame of a client's: masked, with the shortest length.
func frame(first byte, payload string) string {
	var b []byte
	switch n := len(payload); {
	case n < 126:
		b = []byte{first, 0x80 | byte(n)}
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16([]byte{first, 0x80 | 126}, uint16(n))
	default:
		b = binary.BigEndian.AppendUint64([]byte{first, 0x80 | 127}, uint64(n))
	}
	key := []byte{0xa1, 0xb2, 0xc3, 0xd4}
	b = append(b, key...)
	for i := range len(payload) {
		b = append(b, payload[i]^key[i%4])
	}
	return string(b)
}

// closing is the payload of a close frame.
func closing(code int, reason string) string {
	return string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
}

const webSocketKey = "dGhlIHNhbXBsZSBub25jZQ=="

// upgradeRequest is a WebSocket handshake.
func upgradeRequest(target string, lines ...string) string {
	return request("GET", target, "", append([]string{"Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + webSocketKey}, lines...)...)
}

const webSocketPath = "/engine.io/?EIO=4&transport=websocket"

// upgraded reads the 101 that answers an upgradeRequest.
func (w *wire) upgraded() error {
	a, err := w.read("GET")
	switch {
	case err != nil:
		return err
	case a.status != 101 || a.get("Sec-Websocket-Accept")+a.get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=":
		return fmt.Errorf("not upgraded: %+v", a)
	}
	return nil
}

// next reads one frame of the server's: whole, unmasked, with the shortest length.
func (w *wire) next() (op byte, payload string, err error) {
	var h [10]byte
	if _, err := io.ReadFull(w.r, h[:2]); err != nil {
		return 0, "", err
	}
	n := uint64(h[1])
	switch n {
	case 126:
		_, err = io.ReadFull(w.r, h[2:4])
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case 127:
		_, err = io.ReadFull(w.r, h[2:10])
		n = binary.BigEndian.Uint64(h[2:])
	}
	if err != nil {
		return 0, "", err
	}
	if h[0]&(fin|rsv2|rsv3) != fin || h[1]&0x80 != 0 || n > 2*maxPayload {
		return 0, "", fmt.Errorf("frame header %x of %d bytes", h, n)
	}
	b := make([]byte, n)
	_, err = io.ReadFull(w.r, b)
	return h[0] &^ fin, string(b), err
}

// until reads frames up to the close frame, which it answers, and returns the messages before it and what it
// says. Behind it there must be nothing more.
func (w *wire) until() (messages []string, code int, reason string, err error) {
	for {
		op, payload, err := w.next()
		switch {
		case err != nil:
			return messages, 1006, "", unlessGone(err)
		case op == opClose && len(payload) >= 2:
			code, reason = int(binary.BigEndian.Uint16([]byte(payload))), payload[2:]
		case op == opClose:
			code = 1005
		case op == opText, op == opBinary, op == opPong:
			messages = append(messages, payload)
			continue
		default:
			return messages, 0, "", fmt.Errorf("opcode %d, %q", op, payload)
		}
		_, _ = io.WriteString(w, frame(fin|opClose, payload)) // the server may have gone
		if _, err = w.r.ReadByte(); err == nil {
			err = errors.New("something behind the close frame")
		}
		return messages, code, reason, unlessGone(err)
	}
}

// An invalid frame, or several, and what must come of it.
type invalid struct {
	name   string
	frames string
	code   int
	reason string
}

const (
	transportError = "transport error"
	tooBig         = "message too big"
	parseError     = "parse error"
)

var invalids = []invalid{
	{"text without mask", "\x81\x024a", 1002, transportError},
	{"control without mask", "\x89\x00", 1002, transportError},
	{"RSV1 without extension", frame(fin|rsv1|opText, "4a"), 1002, transportError},
	{"RSV2", frame(fin|rsv2|opText, "4a"), 1002, transportError},
	{"RSV3", frame(fin|rsv3|opBinary, "a"), 1002, transportError},
	{"all reserved bits on a ping", frame(fin|rsv1|rsv2|rsv3|opPing, ""), 1002, transportError},
	{"length 2^63", "\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00abcd", 1002, transportError},
	{"length 2^64-1", "\x82\xff\xff\xff\xff\xff\xff\xff\xff\xffabcd", 1002, transportError},
	{"length 2^63-1", "\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd", 1009, tooBig},
	{"length 2^32", "\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00abcd", 1009, tooBig},
	{"length 2^31", "\x81\xff\x00\x00\x00\x00\x80\x00\x00\x00abcd", 1009, tooBig},
	{"above MaxPayload", frame(fin|opText, "4"+strings.Repeat("x", maxPayload)), 1009, tooBig},
	{"above MaxPayload in two", frame(opText, "4"+strings.Repeat("x", maxPayload-1)) + frame(fin, "x"), 1009, tooBig},
	{"fragments without end", frame(opText, "4") + strings.Repeat(frame(0, strings.Repeat("x", 1000)), maxPayload/1000), 1009, tooBig},
	{"ping in fragments", frame(opPing, "a") + frame(fin, "b"), 1002, transportError},
	{"close in fragments", frame(opClose, closing(1000, "")), 1002, transportError},
	{"ping of 126 bytes", frame(fin|opPing, strings.Repeat("x", 126)), 1002, transportError},
	{"close of 126 bytes", frame(fin|opClose, closing(1000, strings.Repeat("x", 124))), 1002, transportError},
	{"ping of 2^63-1 bytes", "\x89\xff\x7f\xff\xff\xff\xff\xff\xff\xffabcd", 1002, transportError},
	{"continuation without start", frame(fin, "4a"), 1002, transportError},
	{"unfinished continuation without start", frame(0, "4a"), 1002, transportError},
	{"continuation after the end", frame(opText, "6") + frame(fin, "") + frame(fin, "a"), 1002, transportError},
	{"text inside a text", frame(opText, "4a") + frame(fin|opText, "4b"), 1002, transportError},
	{"binary inside a text", frame(opText, "4a") + frame(opBinary, "b"), 1002, transportError},
	{"overlong UTF-8", frame(fin|opText, "4\xc0\xaf"), 1007, transportError},
	{"a surrogate", frame(fin|opText, "4\xed\xa0\x80"), 1007, transportError},
	{"beyond Unicode", frame(fin|opText, "4\xf4\x90\x80\x80"), 1007, transportError},
	{"UTF-8 cut off", frame(fin|opText, "4\xe2\x82"), 1007, transportError},
	{"bad UTF-8 in two", frame(opText, "4\xe2") + frame(fin, "\x28\xa1"), 1007, transportError},
	{"UTF-8 cut off in two", frame(opText, "4\xf0\x9f") + frame(fin, "\x98"), 1007, transportError},
	{"close with one byte", frame(fin|opClose, "a"), 1002, transportError},
	{"close with bad UTF-8", frame(fin|opClose, closing(1000, "\xff")), 1007, transportError},
	{"message of no packet", frame(fin|opText, "x"), 1002, parseError},
	{"empty message", frame(fin|opText, ""), 1002, parseError},
	{"bad base64", frame(fin|opText, "b****"), 1002, parseError},
}

func init() {
	for op := byte(3); op < 16; op++ {
		if op < opClose || op > opPong {
			invalids = append(invalids, invalid{fmt.Sprintf("opcode %d", op), frame(fin|op, "a"), 1002, transportError})
		}
	}
	for _, code := range []int{0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535} {
		invalids = append(invalids, invalid{fmt.Sprintf("close code %d", code), frame(fin|opClose, closing(code, "")), 1002, transportError})
	}
}

// Each invalid frame ends its WebSocket with the code of RFC 6455, and the session with the reason: as the
// first frame, in the segment of the upgrade request, after a good one. What was good before it is answered,
// nothing behind it is.
func TestInvalidFrames(t *testing.T) {
	attack(t, spec{}, 1, 5, func(t *testing.T, x *target, n int) {
		x.struck = 3 * n * len(invalids)
		before := x.counts(t)
		want := map[string]int{}
		for _, f := range invalids {
			want[f.reason] += 3 * n
		}
		err := crowd(n*len(invalids), 8, func(i int) error {
			f := invalids[i%len(invalids)]
			for how := range 3 {
				if err := f.attack(x, how); err != nil {
					return fmt.Errorf("%s, %s: %w", f.name, []string{"first", "in the segment", "after a good one"}[how], err)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		for reason, n := range want {
			x.ended(t, before, reason, n)
		}
		if got := x.counts(t).Messages - before.Messages; got != x.struck/3 {
			t.Errorf("%d messages, want the %d that were good", got, x.struck/3)
		}
	})
}

const (
	first = iota
	inTheSegment
	afterAGoodOne
)

func (f invalid) attack(x *target, how int) error {
	w, err := x.dial()
	if err != nil {
		return err
	}
	defer w.end()
	behind := frame(fin|opText, "4behind")
	say, good := upgradeRequest(webSocketPath), ""
	switch how {
	case inTheSegment:
		say += f.frames + behind
	case afterAGoodOne:
		good = "4good"
		say += frame(fin|opText, good)
	}
	if _, err := io.WriteString(w, say); err != nil {
		return err
	}
	if err := w.upgraded(); err != nil {
		return err
	}
	op, open, err := w.next()
	if err != nil || op != opText || !strings.HasPrefix(open, "0{") {
		return fmt.Errorf("%d %q, %v in place of the open packet", op, open, err)
	}
	if good != "" {
		if op, echo, err := w.next(); err != nil || op != opText || echo != good {
			return fmt.Errorf("%d %q, %v in place of the echo", op, echo, err)
		}
	}
	if how != inTheSegment {
		if _, err := io.WriteString(w, f.frames+behind); err != nil {
			return err
		}
	}
	messages, code, _, err := w.until()
	if err != nil || code != f.code || len(messages) > 0 {
		return fmt.Errorf("closed with %d after %q, %v; want %d", code, messages, err, f.code)
	}
	return nil
}
