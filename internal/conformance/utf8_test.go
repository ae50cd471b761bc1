package conformance_test

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// sequences are the suite's texts of 6.5 to 6.23, by their first number: octets in hexadecimal.
var sequences = []struct{ id, octets string }{
	{"6.5", "cebae1bdb9cf83cebcceb5 cebae1bdb9cf83cebcceb5f48080800a656469746564 cebae1bdb9cf83cebcceb5656469746564"},
	{"6.6", prefixes("cebae1bdb9cf83cebcceb5")},
	{"6.7", "00 c280 e0a080 f0908080"},           // the first of each length
	{"6.8", "f888808080 fc8480808080"},           // lengths that are no more
	{"6.9", "7f dfbf efbfbf f48fbfbf"},           // the last of each length
	{"6.10", "f7bfbfbf fbbfbfbfbf fdbfbfbfbfbf"}, // beyond
	{"6.11", "ed9fbf ee8080 efbfbd f48fbfbf f4908080"},
	{"6.12", "80 bf 80bf 80bf80 80bf80bf 80bf80bf80 80bf80bf80bf " + row(0x80, 0xbf, "")}, // continuation of nothing
	{"6.13", strings.Join([]string{row(0xc0, 0xdf, "20"), row(0xe0, 0xef, "20"), row(0xf0, 0xf7, "20"), row(0xf8, 0xfb, "20"), row(0xfc, 0xfd, "20")}, " ")},
	{"6.14", unfinished}, // the last octet is missing
	{"6.15", strings.ReplaceAll(unfinished, " ", "")},
	{"6.16", "fe ff fefeffff"},
	{"6.17", "c0af e080af f08080af f8808080af fc80808080af"}, // longer than need be
	{"6.18", "c1bf e09fbf f08fbfbf f887bfbfbf fc83bfbfbfbf"},
	{"6.19", "c080 e08080 f0808080 f880808080 fc8080808080"},
	{"6.20", "eda080 edadbf edae80 edafbf edb080 edbe80 edbfbf"}, // surrogates
	{"6.21", "eda080edb080 eda080edbfbf edadbfedb080 edadbfedbfbf edae80edb080 edae80edbfbf edafbfedb080 edafbfedbfbf"},
	{"6.22", nonCharacters()}, // which are valid
	{"6.23", "efbfb9 efbfba efbfbb efbfbc efbfbd efbfbe efbfbf"},
}

const unfinished = "c0 e080 f08080 f8808080 fc80808080 df efbf f7bfbf fbbfbfbf fdbfbfbfbf"

func prefixes(octets string) string {
	var all []string
	for n := 2; n <= len(octets); n += 2 {
		all = append(all, octets[:n])
	}
	return strings.Join(all, " ")
}

func row(from, to int, between string) (octets string) {
	for c := from; c <= to; c++ {
		octets += fmt.Sprintf("%02x", c) + between
	}
	return octets
}

func nonCharacters() string {
	var all []string
	for plane := range rune(17) {
		all = append(all, fmt.Sprintf("%x", string(plane<<16|0xfffe)), fmt.Sprintf("%x", string(plane<<16|0xffff)))
	}
	return strings.Join(all, " ")
}

// unhex panics on what is no hexadecimal.
func unhex(octets string) string {
	b, err := hex.DecodeString(octets)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// The ways in which a text travels: cut at every octet, by frames and by segments.
var cuts = map[string]func(p *peer, s string){
	"":           func(p *peer, s string) { p.send(text(s)) },
	"/octets":    func(p *peer, s string) { p.chop(1, text(s)) },
	"/fragments": func(p *peer, s string) { p.send(octets(s)...) },
	"/fragments, one by one": func(p *peer, s string) {
		p.each(octets(s)...)
	},
}

// octets is a text in fragments of one octet.
func octets(s string) []frame {
	frames := []frame{start("")}
	for _, b := range []byte(s) {
		frames = append(frames, middle(string([]byte{b})))
	}
	return append(frames, final(""))
}

// 6: text is UTF-8, or ends with 1007.
var utf8Handling = func() (xs []exercise) {
	xs = slices.Concat(emptyTexts, failFast)
	valid := func(s string) []exercise {
		return []exercise{{"", func(p *peer) {
			for _, send := range cuts {
				send(p, s)
				p.expect(text(s))
			}
			for cut := range len(s) + 1 { // in two at every octet
				p.send(start(s[:cut]), ping(""), final(s[cut:]))
				p.expect(pong(""), text(s))
			}
		}}}
	}
	invalid := func(s string) (xs []exercise) {
		for name, send := range cuts {
			xs = append(xs, exercise{name, func(p *peer) { send(p, s); p.ends(1007) }})
		}
		return xs
	}
	add := func(id, s string) {
		check := invalid
		if utf8.ValidString(s) {
			check = valid
		}
		for _, x := range check(s) {
			xs = append(xs, exercise{id + x.id, x.play})
		}
	}
	add("6.2 Hello-µ@ßöäüàá-UTF-8!!", "Hello-µ@ßöäüàá-UTF-8!!")
	add("6.3 an invalid text", "κόσμε\xed\xa0\x80edited")
	for _, group := range sequences {
		for i, octets := range strings.Fields(group.octets) {
			add(fmt.Sprintf("%s.%d", group.id, i+1), unhex(octets))
		}
	}
	return xs
}()

// emptyTexts are 6.1. The type in front may come in any fragment.
var emptyTexts = []exercise{
	{"6.1.1 empty", func(p *peer) { p.send(text("")); p.expect(text("")) }},
	{"6.1.2 three empty fragments", func(p *peer) { p.send(start(""), middle(""), final("")); p.expect(text("")) }},
	{"6.1.2 the type comes last", func(p *peer) { p.send(frame{opText, ""}, middle(""), final("4")); p.expect(text("")) }},
	{"6.1.3 the middle is not empty", func(p *peer) { p.send(frame{opText, ""}, middle("4middle"), final("")); p.expect(text("middle")) }},
}

// failFast is 6.4. The suite wants the end with the first octet that no more octets can make valid. In
// fragments it comes so. A frame that is small is looked at when it is there as a whole, which the suite calls
// not strict: RFC 6455 8.1 says that such a text fails the connection, not when, and who sends half of a small frame and
// waits is still bounded by the heartbeat.
var failFast = []exercise{
	{"6.4.1 with the second of three fragments", func(p *peer) { p.each(start("κόσμε"), middle("\xf4\x90\x80\x80edited")); p.ends(1007) }},
	{"6.4.2 with its last octet", func(p *peer) { p.each(start("κόσμε"), middle("\xf4\x90")); p.ends(1007) }},
	{"6.4.3 three segments of one frame", func(p *peer) { p.chop(17, text("κόσμε\xf4\x90\x80\x80edited")); p.ends(1007) }},
	{"6.4.4 cut within the rune", func(p *peer) { p.chop(19, text("κόσμε\xf4\x90\x80\x80edited")); p.ends(1007) }},
}
