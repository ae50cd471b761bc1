package conformance_test

import (
	"fmt"
	"strings"
)

// 1: messages of one frame, around every boundary of the length's encoding. Sizes are those of the payload on the wire,
// where a text has the type in front; the shortest is one byte.
var framing = func() (xs []exercise) {
	sizes := []int{0, 125, 126, 127, 128, 65535, 65536}
	for kind, whole := range []func(int) frame{textOf, blobOf} {
		for i, n := range sizes {
			xs = append(xs, exercise{fmt.Sprintf("1.%d.%d/%d", kind+1, i+1, n), func(p *peer) {
				p.send(whole(n))
				p.expect(whole(n))
			}})
		}
		xs = append(xs, exercise{fmt.Sprintf("1.%d.8/65536 in 997", kind+1), func(p *peer) {
			p.chop(997, whole(65536))
			p.expect(whole(65536))
		}}, exercise{fmt.Sprintf("1.%d.8/octets", kind+1), func(p *peer) {
			for _, n := range append(sizes[:5:5], 4096) {
				p.chop(1, whole(n))
				p.expect(whole(n))
			}
		}}, exercise{fmt.Sprintf("1.%d.9/all at once", kind+1), func(p *peer) {
			var all []frame
			for _, n := range sizes {
				all = append(all, whole(n))
			}
			p.send(all...)
			p.expect(all...)
		}})
	}
	return append(xs, exercise{"1.3 no mask", func(p *peer) { p.write([]byte("\x81\x01\x34")); p.ends(1002) }},
		exercise{"1.3 no mask on a ping", func(p *peer) { p.write([]byte("\x89\x00")); p.ends(1002) }},
		exercise{"1.3 a length beyond 63 bits", func(p *peer) { p.write([]byte("\x82\xff\x80\x00\x00\x00\x00\x00\x00\x00")); p.ends(1002) }},
		exercise{"1.3 a length beyond the limit", func(p *peer) {
			p.write([]byte("\x82\xff\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00"))
			p.ends(1009)
		}})
}()

// textOf is a text message with n octets on the wire, one at least.
func textOf(n int) frame { return text(strings.Repeat("*", max(n, 1)-1)) }

func blobOf(n int) frame { return blob(strings.Repeat("\xfe", n)) }

const small = "small ping payload"

// 2: every ping is answered, in order, with its payload.
var pings = []exercise{
	{"2.1 empty", func(p *peer) { p.send(ping("")); p.expect(pong("")) }},
	{"2.2 text", func(p *peer) { p.send(ping("Hello, world!")); p.expect(pong("Hello, world!")) }},
	{"2.3 binary", func(p *peer) {
		p.send(ping("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
		p.expect(pong("\x00\xff\xfe\xfd\xfc\xfb\x00\xff"))
	}},
	{"2.4 125", func(p *peer) { p.send(ping(strings.Repeat("\xfe", 125))); p.expect(pong(strings.Repeat("\xfe", 125))) }},
	{"2.5 126", func(p *peer) { p.send(ping(strings.Repeat("\xfe", 126))); p.ends(1002) }},
	{"2.6 octets", func(p *peer) {
		p.chop(1, ping(strings.Repeat("\xfe", 125)))
		p.expect(pong(strings.Repeat("\xfe", 125)))
	}},
	{"2.7 pong", func(p *peer) { p.send(pong("")) }},
	{"2.8 pong with payload", func(p *peer) { p.send(pong("unsolicited")) }},
	{"2.9 pong, ping", func(p *peer) { p.send(pong("unsolicited"), ping(small)); p.expect(pong(small)) }},
	{"2.10 ten", func(p *peer) { p.send(tenPings...); p.expect(tenPongs...) }},
	{"2.11 ten in octets", func(p *peer) { p.chop(1, tenPings...); p.expect(tenPongs...) }},
	{"2.5 pong of 126", func(p *peer) { p.send(pong(strings.Repeat("\xfe", 126))); p.ends(1002) }},
}

var tenPings, tenPongs = func() (pings, pongs []frame) {
	for i := range 10 {
		pings, pongs = append(pings, ping(fmt.Sprintf("payload-%d", i))), append(pongs, pong(fmt.Sprintf("payload-%d", i)))
	}
	return pings, pongs
}()

// broken is frames after a message: a bad one and a ping, which is not answered. What the message is answered may be lost
// where it came in with the bad frame, which the suite calls not strict.
func broken(bad frame) func(p *peer) {
	return func(p *peer) { p.send(text("first"), bad, ping(small)); p.ends(1002, text("first")) }
}

// brokenLater is broken with the answer to the message awaited.
func brokenLater(bad frame) func(p *peer) {
	return func(p *peer) { p.echoed([]frame{text("first")}, text("first")); p.each(bad); p.ends(1002) }
}

// brokenOctets sends no ping after the bad frame: the connection may be closed by then.
func brokenOctets(bad frame) func(p *peer) {
	return func(p *peer) { p.chop(1, text("first")); p.expect(text("first")); p.chop(1, bad); p.ends(1002) }
}

// 3: reserved bits.
var reservedBits = []exercise{
	{"3.1 RSV 1", func(p *peer) { p.send(frame{fin | rsv3 | opText, "4x"}); p.ends(1002) }},
	{"3.2 RSV 2", broken(frame{fin | rsv2 | opText, "4x"})},
	{"3.3 RSV 3", brokenLater(frame{fin | rsv2 | rsv3 | opText, "4x"})},
	{"3.4 RSV 4", brokenOctets(frame{fin | rsv1 | opText, ""})},
	{"3.5 RSV 5", func(p *peer) { p.send(frame{fin | rsv1 | rsv3 | opBinary, "\xfe"}); p.ends(1002) }},
	{"3.6 RSV 6", func(p *peer) { p.send(frame{fin | rsv1 | rsv2 | opPing, "x"}); p.ends(1002) }},
	{"3.7 RSV 7", func(p *peer) { p.send(frame{fin | rsv1 | rsv2 | rsv3 | opClose, ""}); p.ends(1002) }},
}

// 4: opcodes that nobody has given a meaning.
var opcodes = []exercise{
	{"4.1.1 opcode 3", func(p *peer) { p.send(frame{fin | 3, ""}); p.ends(1002) }},
	{"4.1.2 opcode 4", func(p *peer) { p.send(frame{fin | 4, "reserved opcode payload"}); p.ends(1002) }},
	{"4.1.3 opcode 5", broken(frame{fin | 5, ""})},
	{"4.1.4 opcode 6", brokenLater(frame{fin | 6, "x"})},
	{"4.1.5 opcode 7", brokenOctets(frame{fin | 7, ""})},
	{"4.2.1 opcode 11", func(p *peer) { p.send(frame{fin | 11, ""}); p.ends(1002) }},
	{"4.2.2 opcode 12", func(p *peer) { p.send(frame{fin | 12, "reserved opcode payload"}); p.ends(1002) }},
	{"4.2.3 opcode 13", broken(frame{fin | 13, ""})},
	{"4.2.4 opcode 14", brokenLater(frame{fin | 14, "x"})},
	{"4.2.5 opcode 15", brokenOctets(frame{fin | 15, ""})},
}
