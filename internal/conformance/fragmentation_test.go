package conformance_test

// Frames of group 5, as the suite has them.
var (
	fragment1, fragment2 = start("fragment1"), final("fragment2")
	joined               = text("fragment1fragment2")
	orphan, orphanOpen   = final("non-continuation payload"), middle("non-continuation payload")
	hello                = text("Hello, world!")
)

// 5: messages in fragments, with control frames between them, and continuations that continue nothing.
var fragmentation = []exercise{
	{"5.1 ping in fragments", func(p *peer) { p.send(frame{opPing, "fragment1"}, fragment2); p.ends(1002) }},
	{"5.2 pong in fragments", func(p *peer) { p.send(frame{opPong, "fragment1"}, fragment2); p.ends(1002) }},
	{"5.3 two", func(p *peer) { p.send(fragment1, fragment2); p.expect(joined) }},
	{"5.4 two, one by one", func(p *peer) { p.each(fragment1, fragment2); p.expect(joined) }},
	{"5.5 two, in octets", func(p *peer) { p.chop(1, fragment1, fragment2); p.expect(joined) }},
	{"5.6 ping between", func(p *peer) { p.send(fragment1, ping(small), fragment2); p.expect(pong(small), joined) }},
	{"5.7 ping between, one by one", func(p *peer) {
		p.echoed([]frame{fragment1, ping(small)}, pong(small))
		p.echoed([]frame{fragment2}, joined)
	}},
	{"5.8 ping between, in octets", func(p *peer) { p.chop(1, fragment1, ping(small), fragment2); p.expect(pong(small), joined) }},
	{"5.9 last of nothing", func(p *peer) { p.send(orphan, hello); p.ends(1002) }},
	{"5.10 last of nothing, alone", func(p *peer) { p.each(orphan); p.ends(1002) }},
	{"5.11 last of nothing, in octets", brokenOctets(frame{fin, ""})},
	{"5.12 more of nothing", func(p *peer) { p.send(orphanOpen, hello); p.ends(1002) }},
	{"5.13 more of nothing, alone", func(p *peer) { p.each(orphanOpen); p.ends(1002) }},
	{"5.14 more of nothing, in octets", brokenOctets(frame{0, ""})},
	{"5.15 more of nothing after a message", func(p *peer) {
		p.send(fragment1, fragment2, orphanOpen, hello)
		p.ends(1002, joined)
	}},
	{"5.16 more of nothing, then a message, twice", func(p *peer) {
		p.send(middle("fragment1"), start("fragment2"), final("fragment3"), middle("fragment1"), start("fragment2"), final("fragment3"))
		p.ends(1002)
	}},
	{"5.17 last of nothing, then a message, twice", func(p *peer) {
		p.send(final("fragment1"), start("fragment2"), final("fragment3"), final("fragment1"), start("fragment2"), final("fragment3"))
		p.ends(1002)
	}},
	{"5.18 both of them begin", func(p *peer) { p.send(fragment1, text("fragment2")); p.ends(1002) }},
	{"5.18 text and binary", func(p *peer) { p.send(fragment1, blob("fragment2")); p.ends(1002) }},
	{"5.19 five, with pings, one by one", func(p *peer) {
		p.echoed([]frame{start("fragment1"), middle("fragment2"), ping("pongme 1!")}, pong("pongme 1!"))
		p.echoed([]frame{middle("fragment3"), middle("fragment4"), ping("pongme 2!")}, pong("pongme 2!"))
		p.echoed([]frame{final("fragment5")}, text("fragment1fragment2fragment3fragment4fragment5"))
	}},
	{"5.20 five, with pings", func(p *peer) {
		p.send(start("fragment1"), middle("fragment2"), ping("pongme 1!"),
			middle("fragment3"), middle("fragment4"), ping("pongme 2!"), final("fragment5"))
		p.expect(pong("pongme 1!"), pong("pongme 2!"), text("fragment1fragment2fragment3fragment4fragment5"))
	}},
	{"5.21 binary", func(p *peer) {
		p.send(frame{opBinary, "\xfe"}, middle(""), ping(small), middle("\xff"), pong(small), final("\x00"))
		p.expect(pong(small), blob("\xfe\xff\x00"))
	}},
}
