package conformance_test

import (
	"fmt"
	"strings"
)

// 7: the close frame, from the client. The answer has the code that the client gave (RFC 6455 5.5.1), none for none. What
// is under way when the client closes may be lost, so an answer that is to come is waited for.
var closeHandling = func() []exercise {
	xs := []exercise{
		{"7.1.1 after a message", func(p *peer) {
			p.echoed([]frame{hello}, hello)
			p.send(closing(1000, ""))
			p.ends(1000)
		}},
		{"7.1.1 with a message", func(p *peer) { p.send(hello, closing(1000, "")); p.ends(1000, hello) }},
		{"7.1.2 twice", func(p *peer) { p.send(closing(1000, ""), closing(1000, "")); p.endsUnread(1000) }},
		{"7.1.3 ping after it", func(p *peer) { p.send(closing(1000, ""), ping(small)); p.endsUnread(1000) }},
		{"7.1.4 text after it", func(p *peer) { p.send(closing(1000, ""), hello); p.endsUnread(1000) }},
		{"7.1.4 broken frame after it", func(p *peer) { p.send(closing(1000, ""), frame{fin | 7, ""}); p.endsUnread(1000) }},
		{"7.1.5 between fragments", func(p *peer) { p.send(fragment1, closing(1000, ""), fragment2); p.endsUnread(1000) }},
		{"7.1.6 after a large message", func(p *peer) {
			big := text(strings.Repeat("BAsd7&jh23", 26<<10))
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				_, _ = p.conn.Write(encode(big, closing(1000, ""), ping(small)))
			}()
			p.endsUnread(1000, big)
			<-sent
		}},
		{"7.3.1 no payload", func(p *peer) { p.send(frame{fin | opClose, ""}); p.ends(1005) }},
		{"7.3.2 one octet", func(p *peer) { p.send(frame{fin | opClose, "a"}); p.ends(1002) }},
		{"7.3.3 a code", func(p *peer) { p.send(closing(1000, "")); p.ends(1000) }},
		{"7.3.4 a reason", func(p *peer) { p.send(closing(1000, "Hello World!")); p.ends(1000) }},
		{"7.3.5 a reason of 121", func(p *peer) { p.send(closing(1000, strings.Repeat("*", 121))); p.ends(1000) }},
		{"7.3.5 a reason of 122", func(p *peer) { p.send(closing(1000, strings.Repeat("*", 122))); p.ends(1000) }},
		{"7.3.5 a reason of 123", func(p *peer) { p.send(closing(1000, strings.Repeat("*", 123))); p.ends(1000) }},
		{"7.3.6 a reason of 124", func(p *peer) { p.send(closing(1000, strings.Repeat("*", 124))); p.ends(1002) }},
		{"7.5.1 a reason that is not UTF-8", func(p *peer) { p.send(closing(1000, "κόσμε\xed\xa0\x80edited")); p.ends(1007) }},
		{"7.5.1 a reason that ends in a rune", func(p *peer) { p.send(closing(1000, "\xce")); p.ends(1007) }},
		{"5.5 in fragments", func(p *peer) { p.send(frame{opClose, "\x03\xe8"}, final("")); p.ends(1002) }},
	}
	for i, code := range []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999} {
		xs = append(xs, exercise{fmt.Sprintf("7.7.%d code %d", i+1, code), func(p *peer) { p.send(closing(code, "")); p.ends(code) }},
			exercise{fmt.Sprintf("7.7.%d code %d in octets", i+1, code), func(p *peer) { p.chop(1, closing(code, "bye")); p.ends(code) }})
	}
	for i, code := range []int{0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999} {
		xs = append(xs, exercise{fmt.Sprintf("7.9.%d code %d", i+1, code), func(p *peer) { p.send(closing(code, "")); p.ends(1002) }})
	}
	for i, code := range []int{5000, 65535} { // 16 bits; what 65536 leaves of itself there is 0
		xs = append(xs, exercise{fmt.Sprintf("7.13.%d code %d", i+1, code), func(p *peer) { p.send(closing(code, "")); p.ends(1002) }})
	}
	return xs
}()
