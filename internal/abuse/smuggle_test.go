package abuse

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// A shape is a request that a proxy in front and the server might take apart differently. In it %[1]s is the
// target of the attacker's session and %[2]s a whole POST of a victim's.
type shape struct {
	name, text      string
	fasthttp, fiber string // the statuses of the answers; fiber's are the same where it is empty
	own             int    // messages of the attacker's that arrive
	// stolen tells that fasthttp 1.73 takes %[2]s for a request of its own, as the bytes say or because it is
	// lax. Then it is one in every respect. Otherwise no byte of it may reach the victim.
	stolen bool
}

const (
	post    = "POST %[1]s HTTP/1.1\r\nHost: victim.example\r\n"
	chunked = post + "Transfer-Encoding: chunked\r\n\r\n"
	chunks  = "\r\n\r\n2\r\n4a\r\n0\r\n\r\n%[2]s"
	body    = "\r\n\r\n4a%[2]s"
)

var shapes = []shape{
	{"a request in a body", post + "Content-Length: %[3]d" + body, "200", "", 1, false},
	{"a request in a chunk", chunked + "%[3]x\r\n4a%[2]s\r\n0\r\n\r\n", "200", "", 1, false},
	{"a request behind a body", post + "Content-Length: 2" + body, "200 200", "", 1, true},

	// Both lengths: RFC 9112 6.3 lets a server go by Transfer-Encoding, and close then. fasthttp does not close.
	{"CL.TE", post + "Content-Length: 2\r\nTransfer-Encoding: chunked" + chunks, "200 200", "", 1, true},
	{"TE.CL", post + "Transfer-Encoding: chunked\r\nContent-Length: 2" + chunks, "200 200", "", 1, true},
	{"two lengths", post + "Content-Length: 2\r\nContent-Length: %[3]d" + body, "400", "", 0, false},
	{"two equal lengths", post + "Content-Length: 2\r\nContent-Length: 2" + body, "400", "", 0, false},
	{"a list of lengths", post + "Content-Length: 2, 2" + body, "400", "", 0, false},
	{"a length with a sign", post + "Content-Length: +2" + body, "400", "", 0, false},
	{"a negative length", post + "Content-Length: -1" + body, "400", "", 0, false},
	{"a length in hex", post + "Content-Length: 0x2" + body, "400", "", 0, false},
	{"an empty length", post + "Content-Length: " + body, "400", "", 0, false},
	{"a huge length", post + "Content-Length: 99999999999999999999" + body, "400", "", 0, false},
	{"a length of 2^63-1", post + "Content-Length: 9223372036854775807" + body, "400", "413", 0, false},
	{"space before the colon of a length", post + "Content-Length : 2" + body, "400", "", 0, false},
	{"space before the colon of TE", post + "Transfer-Encoding : chunked" + chunks, "400", "", 0, false},
	{"space before a name", post + "X: y\r\n Transfer-Encoding: chunked\r\nContent-Length: 2" + body, "200 200", "", 1, true},

	{"TE chunked, identity", post + "Transfer-Encoding: chunked, identity" + chunks, "400", "", 0, false},
	{"TE gzip, chunked", post + "Transfer-Encoding: gzip, chunked" + chunks, "400", "", 0, false},
	{"TE chunked, chunked", post + "Transfer-Encoding: chunked, chunked" + chunks, "400", "", 0, false},
	{"two TE", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity" + chunks, "400", "", 0, false},
	{"TE xchunked", post + "Transfer-Encoding: xchunked" + chunks, "400", "", 0, false},
	{"TE in quotes", post + "Transfer-Encoding: \"chunked\"" + chunks, "400", "", 0, false},
	{"TE behind a control character", post + "Transfer-Encoding: \x0bchunked" + chunks, "400", "", 0, false},
	{"TE in capitals", post + "TRANSFER-ENCODING: CHUNKED" + chunks, "200 200", "", 1, true},
	{"TE on a continued line", post + "Transfer-Encoding:\r\n chunked" + chunks, "200 200", "", 1, true},
	{"TE behind a bare LF", post + "X: y\nTransfer-Encoding: chunked" + chunks, "200 200", "", 1, true},
	{"TE behind a bare CR", post + "X: y\rTransfer-Encoding: chunked" + chunks, "400", "", 0, false},
	{"TE identity", post + "Transfer-Encoding: identity\r\nContent-Length: 2" + body, "200 200", "", 1, true},
	{"TE with an underscore", post + "Transfer_Encoding: chunked\r\nContent-Length: 2" + body, "200 200", "", 1, true},
	{"TE in the trailer", chunked + "2\r\n4a\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n%[2]s", "400", "", 0, false},
	{"a length in the trailer", chunked + "2\r\n4a\r\n0\r\nContent-Length: 500\r\n\r\n%[2]s", "400", "", 0, false},
	{"a trailer", chunked + "2\r\n4a\r\n0\r\nX-Trailer: 1\r\n\r\n%[2]s", "200 200", "", 1, true},

	{"a chunk extension", chunked + "2;a=b\r\n4a\r\n0;c\r\n\r\n%[2]s", "200 200", "", 1, true},
	{"a LF in a chunk extension", chunked + "2;a\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a space before a chunk extension", chunked + "2 ;a\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a chunk size with 0x", chunked + "0x2\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a negative chunk size", chunked + "-2\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"no chunk size", chunked + "\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a chunk size of 2^60-1", chunked + "fffffffffffffff\r\n4a\r\n0\r\n\r\n%[2]s", "400", "413", 0, false},
	{"a chunk size of 2^64+2", chunked + "10000000000000002\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a chunk size of 2^63-1", chunked + "7fffffffffffffff\r\n4a\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"a chunk that is longer", chunked + "2\r\n4abc\r\n0\r\n\r\n%[2]s", "400", "", 0, false},
	{"chunks with LF", chunked + "2\n4a\n0\n\n%[2]s", "400", "", 0, false},
	{"a chunk without CRLF", chunked + "2\r\n4a0\r\n\r\n%[2]s", "400", "", 0, false},

	{"lines with LF", "POST %[1]s HTTP/1.1\nHost: victim.example\nContent-Length: 2\n\n4a%[2]s", "200 200", "", 1, true},
	{"a blank line before", "\r\n\r\n" + post + "Content-Length: 2" + body, "200 200", "", 1, true},
	{"two hosts", post + "Host: evil.example\r\nContent-Length: 2" + body, "400", "", 0, false},
	{"absolute-form", "POST http://victim.example%[1]s HTTP/1.1\r\nHost: victim.example\r\nContent-Length: 2" + body, "200 200", "", 1, true},
	{"HTTP/1.0 with TE", "POST %[1]s HTTP/1.0\r\nTransfer-Encoding: chunked" + chunks, "200", "", 1, false},
	{"HTTP/2.0", "POST %[1]s HTTP/2.0\r\nContent-Length: 2" + body, "200", "", 1, false},
	{"HTTP/0.9", "GET %[1]s\r\n\r\n%[2]s", "400", "", 0, false},
	{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n%[2]s", "404", "400", 0, false},

	{"a refused POST with a body", "POST /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nContent-Length: %[3]d" + body, "400", "", 0, false},
	{"a GET with a body", "GET %[1]s&transport=x HTTP/1.1\r\nHost: a\r\nContent-Length: %[3]d" + body, "400", "", 0, false},
	{"a body above MaxPayload", post + "Content-Length: 200000\r\n\r\n" + strings.Repeat("x", 200_000) + "%[2]s", "413 200", "", 0, true},
	{"Expect", post + "Expect: 100-continue\r\nContent-Length: 2" + body, "100 200 200", "", 1, true},
	{"Expect with a request in the body", post + "Expect: 100-continue\r\nContent-Length: %[3]d" + body, "100 200", "", 1, false},
	{"Expect something else", post + "Expect: 200-ok\r\nContent-Length: 2" + body, "200 200", "", 1, true},
	{"Expect without a body", "GET /engine.io/?EIO=4 HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n%[2]s", "100 400 200", "", 0, true},
	{"Connection: close", post + "Connection: close\r\nContent-Length: 2" + body, "200", "", 1, false},
	{"HEAD", "HEAD /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n%[2]s", "400 200", "", 0, true},
	{"an Upgrade that is refused", upgradeRequest("/engine.io/?EIO=4&transport=websocket&sid=nobody") + "%[2]s", "400 200", "", 0, true},
	{"an Upgrade that is refused, with a body", "GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\n" +
		"Upgrade: websocket\r\nContent-Length: %[3]d" + body, "400", "", 0, false},
}

// Whatever shape a request has: there is one answer for each, and no byte of a body is another's message.
func TestSmugglingShapes(t *testing.T) {
	attack(t, spec{}, 1, 3, func(t *testing.T, x *target, n int) {
		x.struck = n * len(shapes)
		for i := range x.struck {
			s := shapes[i%len(shapes)]
			t.Run(strings.ReplaceAll(s.name, "/", "."), func(t *testing.T) { s.attack(t, x) })
		}
	})
}

func (s shape) attack(t *testing.T, x *target) {
	victim := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
	attacker := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
	before := x.counts(t)
	inner := request("POST", victim.URI(), "4stolen", hangUp)
	text := s.text
	for verb, value := range map[string]string{
		"%[1]s": attacker.URI(), "%[2]s": inner, "%[3]d": fmt.Sprint(2 + len(inner)), "%[3]x": fmt.Sprintf("%x", 2+len(inner)),
	} {
		text = strings.ReplaceAll(text, verb, value)
	}
	w := x.wire(t)
	w.say(t, text)
	enginetest.HalfClose(w.Conn) // nobody waits for more
	want := s.fasthttp
	if x.Fiber && s.fiber != "" {
		want = s.fiber
	}
	method, _, _ := strings.Cut(text, " ")
	if got := statuses(w.answers(t, method)); got != want {
		t.Errorf("answered %q, want %q", got, want)
	}
	w.end()
	if s.stolen {
		if p, err := enginetest.Next(victim); err != nil || string(p.Data) != "stolen" {
			t.Errorf("the second request brings %q, %v", p.Data, err)
		}
	}
	if got := x.counts(t).Messages - before.Messages - len("x")*map[bool]int{true: 1, false: 0}[s.stolen]; got != s.own {
		t.Errorf("%d messages of the first request, want %d", got, s.own)
	}
	leave(t, x, victim)
	if s.own > 0 {
		if p, err := enginetest.Next(attacker); err != nil || !strings.HasPrefix(string(p.Data), "a") {
			t.Errorf("the first request brings %q, %v", p.Data, err)
		}
	}
	leave(t, x, attacker)
}

// A poll and a POST in one segment are answered one after the other, in order: fasthttp looks at the second
// when the first is through.
func TestPipelinedPollAndPost(t *testing.T) {
	attack(t, spec{PingInterval: 100 * time.Millisecond, PingTimeout: 10 * time.Second}, 3, 10, func(t *testing.T, x *target, n int) {
		for range n {
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			w := x.wire(t)
			w.say(t, request("GET", p.URI(), "")+request("POST", p.URI(), "3\x1e4second", hangUp))
			all := w.answers(t, "GET")
			if len(all) != 2 || all[0].body != "2" || all[1].body != "ok" {
				t.Errorf("answered %+v", all)
			}
			w.end()
			if packet, err := enginetest.Next(p); err != nil || string(packet.Data) != "second" {
				t.Errorf("%q, %v", packet.Data, err)
			}
			leave(t, x, p)
		}
	})
}

// What stands behind an upgrade request in its segment are frames, whatever it looks like, and its body is
// nobody's.
func TestBehindAnUpgrade(t *testing.T) {
	attack(t, spec{}, 5, 50, func(t *testing.T, x *target, n int) {
		victim := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
		inner := request("POST", victim.URI(), "4stolen")
		before := x.counts(t)
		for range n {
			for text, code := range map[string]int{
				upgradeRequest(webSocketPath) + inner:                                                                        1002,
				upgradeRequest(webSocketPath) + frame(fin|opText, "4x"+inner) + frame(fin|opClose, ""):                       1005,
				upgradeRequest(webSocketPath, "Content-Length: "+fmt.Sprint(len(inner))) + inner + frame(fin|opClose, ""):    1005,
				upgradeRequest(webSocketPath, "Transfer-Encoding: chunked") + "0\r\n\r\n" + frame(fin|opClose, ""):           1005,
				upgradeRequest(webSocketPath, "Content-Length: 2") + "4a" + frame(fin|opText, "4x") + frame(fin|opClose, ""): 1005,
			} {
				w := x.wire(t)
				w.say(t, text)
				if err := w.upgraded(); err != nil {
					t.Fatal(err)
				}
				if messages, got, _, err := w.until(); err != nil || got != code {
					t.Errorf("%.300q: closed with %d after %.200q, %v", text, got, messages, err)
				}
				w.end()
			}
		}
		x.ended(t, before, "client close", 4*n) // before the victim's, which leave counts
		if got := x.counts(t).Messages - before.Messages; got != 2*n {
			t.Errorf("%d messages, want the %d in frames", got, 2*n)
		}
		leave(t, x, victim)
	})
}
