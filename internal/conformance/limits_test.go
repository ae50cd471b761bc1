package conformance_test

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

const mib = 1 << 20

// 9: size and number. The suite goes to 16 MB; what is above 4 MB is no different here, and the race detector makes every octet
// expensive, so there are fewer with it.
var limits = func() (xs []exercise) {
	whole, segmented, number := 4*mib, mib, 1000
	if raceEnabled {
		whole, segmented, number = 5*mib/4, mib/4, 200
	}
	payload := strings.Repeat("0123456789€-", 4*mib/14+1)
	for kind, name := range []string{"text", "binary"} {
		opcode, message := byte(opText+kind), func(n int) frame { // n octets on the wire
			keep := n - 1
			for !utf8.RuneStart(payload[keep]) {
				keep--
			}
			return text(payload[:keep] + "..."[:n-1-keep])
		}
		if opcode == opBinary {
			message = func(n int) frame { return frame{fin | opBinary, payload[:n]} }
		}
		add := func(group, i int, what string, play func(p *peer)) {
			xs = append(xs, exercise{fmt.Sprintf("9.%d.%d %s %s", group+kind, i+1, name, what), play})
		}
		for i, size := range []int{64 << 10, 256 << 10, mib, whole} {
			add(1, i, fmt.Sprintf("of %d", size), func(p *peer) { p.stream(size, []frame{message(size)}, message(size)) })
		}
		for i, size := range []int{64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, mib, 4 * mib} {
			add(3, i, fmt.Sprintf("in fragments of %d", size), func(p *peer) {
				p.stream(mib, cut(message(whole), opcode, size), message(whole))
			})
		}
		for i, size := range []int{64, 128, 256, 512, 1 << 10, 2 << 10} {
			add(5, i, fmt.Sprintf("in segments of %d", size), func(p *peer) { p.stream(size, []frame{message(segmented)}, message(segmented)) })
		}
		for i, size := range []int{0, 16, 64, 256, 1 << 10, 4 << 10} {
			add(7, i, fmt.Sprintf("%d of %d", number, size), func(p *peer) {
				many := make([]frame, number)
				for i := range many {
					many[i] = message(max(size, 1))
				}
				p.stream(64<<10, many, many...)
			})
		}
	}
	return xs
}()

// cut is a message in fragments of n octets.
func cut(f frame, opcode byte, n int) (frames []frame) {
	first := opcode
	for rest := f.payload; len(rest) > 0; first = 0 {
		n = min(n, len(rest))
		frames = append(frames, frame{first, rest[:n]})
		rest = rest[n:]
	}
	frames[len(frames)-1].first |= fin
	return frames
}

// stream sends frames in writes of n octets while it reads what comes back for them.
func (p *peer) stream(n int, send []frame, want ...frame) {
	p.Helper()
	sent := make(chan error, 1)
	go func() {
		for b := encode(send...); len(b) > 0; {
			n = min(n, len(b))
			if _, err := p.conn.Write(b[:n]); err != nil {
				sent <- err
				return
			}
			b = b[n:]
		}
		sent <- nil
	}()
	p.expect(want...)
	if err := <-sent; err != nil {
		p.Fatal(err)
	}
}
