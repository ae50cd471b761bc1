package conformance_test

import (
	"bytes"
	"cmp"
	"compress/flate"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

const (
	offer  = "permessage-deflate; client_max_window_bits" // as browsers make it
	answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

	deflateTail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff" // what RFC 7692 has the sender cut off, and an end
)

func extensions(offer string) string { return "Sec-WebSocket-Extensions: " + offer }

// deflating is a configuration with permessage-deflate, from that size on.
func deflating(threshold int) engineio.Config {
	return engineio.Config{
		PerMessageDeflate: true, CompressionThreshold: threshold,
		PingInterval: time.Hour,
	}
}

// A packer compresses messages, each for itself unless told otherwise.
type packer struct {
	bytes.Buffer
	w     *flate.Writer
	keeps bool // what it has said before, which nobody has agreed to
}

func newPacker(level int) *packer {
	p := new(packer)
	p.w, _ = flate.NewWriter(p, level) // fails on an unknown level only
	return p
}

// pack is the frame of a message, compressed.
func (p *packer) pack(f frame) frame {
	p.Reset()
	if !p.keeps {
		p.w.Reset(p)
	}
	_, _ = io.WriteString(p.w, f.payload)
	_ = p.w.Flush()
	return frame{f.first | rsv1, strings.TrimSuffix(p.String(), deflateTail[:4])}
}

// unpacked is a frame of the server's as it was before compression.
func unpacked(t testing.TB, f frame) frame {
	t.Helper()
	if f.first&rsv1 == 0 {
		return f
	}
	plain, err := io.ReadAll(flate.NewReader(io.MultiReader(strings.NewReader(f.payload), strings.NewReader(deflateTail))))
	if err != nil {
		t.Fatalf("%v does not inflate: %v", f, err)
	}
	return frame{f.first &^ rsv1, string(plain)}
}

// packs sends what, and expects the messages back; it tells how many of them came compressed.
func (p *peer) packs(what []frame, messages ...frame) (compressed int) {
	p.Helper()
	sent := make(chan error, 1)
	go func() {
		_, err := p.conn.Write(encode(what...))
		sent <- err
	}()
	for i, want := range messages {
		f := p.next()
		if f.first&rsv1 != 0 {
			compressed++
		}
		if got := unpacked(p, f); got != want {
			p.Fatalf("message %d is %v, want %v", i, got, want)
		}
	}
	if err := <-sent; err != nil {
		p.Fatal(err)
	}
	return compressed
}

// samples are n messages of some size on the wire: JSON, which compresses, or noise, which does not.
func samples(n, size int, noise bool) (messages []frame) {
	for i := range n {
		var b strings.Builder
		for b.Len() < size {
			if noise {
				b.WriteByte(byte(rand.Uint32()))
			} else {
				fmt.Fprintf(&b, `{"id":%d,"name":"AutobahnPython","rank":%d,"tags":["a","€"]},`, i, i*i)
			}
		}
		if noise {
			messages = append(messages, blob(b.String()))
		} else {
			messages = append(messages, text(strings.ToValidUTF8(b.String()[:size-1], "")))
		}
	}
	return messages
}

// 12: many messages of every size, text that compresses and binary that does not, by packers of several kinds, whole and
// in fragments.
func TestAutobahnDeflate(t *testing.T) {
	t.Parallel()
	number := 1000
	if raceEnabled {
		number = 100
	}
	serveEcho(t, deflating(1), enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		for i, size := range []int{16, 64, 256, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 128 << 10} {
			n := min(number, max(4, number*4096/size))
			exercise{fmt.Sprintf("12.1.%d/%d texts of %d", i+1, n, size), func(p *peer) {
				messages := samples(n, size, false)
				if got := p.packs(packed(messages, flate.BestSpeed, 0), messages...); got != n && size >= 256 {
					p.Errorf("%d of %d come compressed", got, n)
				}
			}}.run(t, s, extensions(offer))
			exercise{fmt.Sprintf("12.2.%d/%d of noise of %d", i+1, n, size), func(p *peer) {
				messages := samples(n, size, true)
				if got := p.packs(packed(messages, flate.NoCompression, 0), messages...); got > 0 && size >= 256 {
					p.Errorf("%d of %d come compressed, and longer", got, n)
				}
			}}.run(t, s, extensions(offer))
			exercise{fmt.Sprintf("12.4.%d/texts of %d in fragments", i+1, size), func(p *peer) {
				messages := samples(max(2, n/10), size, false)
				for _, cut := range []int{1, 7, 256, 4096} {
					if cut >= 7 || size <= 1<<10 {
						p.packs(packed(messages, flate.BestCompression, cut), messages...)
					}
				}
			}}.run(t, s, extensions(offer))
		}
	})
}

// packed are messages compressed, and cut into fragments unless n is 0. Only the first has the bit.
func packed(messages []frame, level, n int) (frames []frame) {
	p := newPacker(level)
	for _, m := range messages {
		f := p.pack(m)
		if n == 0 {
			frames = append(frames, f)
			continue
		}
		frames = append(frames, cut(f, f.first&^fin, n)...)
	}
	return frames
}

// 13: what is offered, and what comes of it. We keep no window from message to message, and no smaller one than the
// format's.
var offers = []struct{ offer, answer string }{
	{"", ""},
	{"permessage-deflate", answer},
	{offer, answer},
	{"permessage-deflate; server_no_context_takeover", answer},
	{"permessage-deflate; client_no_context_takeover", answer},
	{"permessage-deflate; server_no_context_takeover; client_no_context_takeover", answer},
	{"permessage-deflate; client_no_context_takeover; client_max_window_bits; server_no_context_takeover", answer},
	{"Permessage-DEFLATE ; Client_No_Context_Takeover", answer},
	{"permessage-deflate; server_max_window_bits=15", answer + "; server_max_window_bits=15"},
	{`permessage-deflate; server_max_window_bits="15"; client_max_window_bits="15"`, answer + "; server_max_window_bits=15"},
	{"permessage-deflate; server_max_window_bits=9, permessage-deflate; client_max_window_bits", answer},
	{"x-other, permessage-deflate", answer},
	{"x-other; a=b", ""},
	{"permessage-deflate; server_max_window_bits", ""},    // a value is due
	{"permessage-deflate; server_max_window_bits=16", ""}, // there is no such window
	{"permessage-deflate; server_max_window_bits=7", ""},
	{"permessage-deflate; client_max_window_bits=16", ""},
	{"permessage-deflate; client_max_window_bits=7", ""},
	{"permessage-deflate; client_max_window_bits=08", ""},
	{"permessage-deflate; client_max_window_bits=1.5", ""},
	{"permessage-deflate; server_no_context_takeover=true", ""},
	{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", ""},
	{"permessage-deflate; unknown", ""},
	{"permessage-bzip2", ""},
	{"deflate-frame", ""},
}

func TestAutobahnDeflateOffers(t *testing.T) {
	t.Parallel()
	offers := slices.Clone(offers)
	for bits := 8; bits <= 15; bits++ {
		want := answer + "; server_max_window_bits=15"
		if bits < 15 {
			want = ""
		}
		offers = append(offers,
			struct{ offer, answer string }{fmt.Sprintf("permessage-deflate; client_max_window_bits=%d", bits), answer},
			struct{ offer, answer string }{fmt.Sprintf("permessage-deflate; server_max_window_bits=%d", bits), want},
			struct{ offer, answer string }{fmt.Sprintf("permessage-deflate; server_max_window_bits=%d, permessage-deflate", bits), cmp.Or(want, answer)})
	}
	serveEcho(t, deflating(1), enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		for i, o := range offers {
			exercise{fmt.Sprintf("13.%d/%s", i+1, o.offer), func(p *peer) { negotiated(p, o.answer) }}.run(t, s, extensions(o.offer))
		}
		t.Run("two lines", func(t *testing.T) {
			p := dial(t, s, extensions("permessage-deflate; server_max_window_bits=8"), extensions("permessage-deflate"))
			negotiated(p, answer)
			p.goodbye()
		})
	})
	serveEcho(t, engineio.Config{}, enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		exercise{"13.0/not wanted", func(p *peer) { negotiated(p, "") }}.run(t, s, extensions(offer))
	})
}

// negotiated checks the answer, and that what was agreed on holds, no more and no less.
func negotiated(p *peer, want string) {
	p.Helper()
	if p.extensions != want {
		p.Errorf("answered %q, want %q", p.extensions, want)
	}
	plain := samples(2, 500, false)
	compressed := p.packs(plain, plain...)
	if want == "" {
		if compressed > 0 {
			p.Error("a message comes compressed")
		}
		p.send(newPacker(9).pack(plain[0]))
		p.ends(1002)
		return
	}
	if compressed += p.packs(packed(plain, 9, 0), plain...); compressed != 4 {
		p.Errorf("%d of 4 messages come compressed", compressed)
	}
}

// What breaks RFC 7692, and what is on its edge.
func TestDeflateOnTheEdge(t *testing.T) {
	t.Parallel()
	f := newPacker(9).pack(text("Hello, Hello, Hello"))
	half := len(f.payload) / 2
	exercises := []exercise{
		{"mixed", func(p *peer) {
			p.packs([]frame{hello, f, hello, f}, hello, text("Hello, Hello, Hello"), hello, text("Hello, Hello, Hello"))
		}},
		{"ping between fragments", func(p *peer) {
			p.send(frame{rsv1 | opText, f.payload[:half]}, ping(small), final(f.payload[half:]))
			p.expect(pong(small))
			p.packs(nil, text("Hello, Hello, Hello"))
		}},
		{"in octets", func(p *peer) { p.chop(1, f); p.packs(nil, text("Hello, Hello, Hello")) }},
		{"empty message", func(p *peer) { p.packs([]frame{newPacker(9).pack(text(""))}, text("")) }},
		{"empty binary", func(p *peer) { p.packs([]frame{{fin | rsv1 | opBinary, "\x00"}}, blob("")) }},
		{"block with the final bit", func(p *peer) {
			p.packs([]frame{{fin | rsv1 | opText, "\x33\xf1\x48\xcd\xc9\xc9\x07\x00\x00"}}, text("Hello"))
		}},
		{"bit on a ping", func(p *peer) { p.send(frame{fin | rsv1 | opPing, "x"}); p.ends(1002) }},
		{"bit on a pong", func(p *peer) { p.send(frame{fin | rsv1 | opPong, "x"}); p.ends(1002) }},
		{"bit on a close", func(p *peer) { p.send(frame{fin | rsv1 | opClose, "\x03\xe8"}); p.ends(1002) }},
		{"bit on a continuation", func(p *peer) {
			p.send(frame{rsv1 | opText, f.payload[:half]}, frame{fin | rsv1, f.payload[half:]})
			p.ends(1002)
		}},
		{"bit on a continuation of a plain message", func(p *peer) { p.send(start("a"), frame{fin | rsv1, "b"}); p.ends(1002) }},
		{"second bit", func(p *peer) { p.send(frame{fin | rsv1 | rsv2 | opText, f.payload}); p.ends(1002) }},
		{"no data", func(p *peer) { p.send(frame{fin | rsv1 | opText, ""}); p.ends(1007) }},
		{"no deflate", func(p *peer) { p.send(frame{fin | rsv1 | opText, "\xff\xff\xff\xff"}); p.ends(1007) }},
		{"cut off", func(p *peer) { p.send(frame{fin | rsv1 | opText, f.payload[:half]}); p.ends(1007) }},
		{"more behind the end", func(p *peer) {
			p.send(frame{fin | rsv1 | opText, "\x33\xf1\x48\xcd\xc9\xc9\x07\x00\x00\x01\x02"})
			p.ends(1007)
		}},
		{"not UTF-8", func(p *peer) { p.send(newPacker(9).pack(text("\xed\xa0\x80"))); p.ends(1007) }},
		{"a window that was given up", func(p *peer) {
			keeps := newPacker(9)
			keeps.keeps = true
			p.packs([]frame{keeps.pack(text("Hello, this is what it refers to"))}, text("Hello, this is what it refers to"))
			p.send(keeps.pack(text("Hello, this is what it refers to")))
			p.ends(1007)
		}},
	}
	serveEcho(t, deflating(1), enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		for _, x := range exercises {
			x.run(t, s, extensions(offer))
		}
	})
}

// Short messages travel as they are.
func TestDeflateThreshold(t *testing.T) {
	t.Parallel()
	serveEcho(t, deflating(1000), enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		p := dial(t, s, extensions(offer))
		below, at := text(strings.Repeat("x", 998)), text(strings.Repeat("x", 999))
		if n := p.packs(packed([]frame{below, below}, 9, 0), below, below); n != 0 {
			t.Errorf("%d of 2 messages of 999 octets come compressed", n)
		}
		if n := p.packs([]frame{at, at}, at, at); n != 2 {
			t.Errorf("%d of 2 messages of 1000 octets come compressed", n)
		}
		p.goodbye()
	})
}

// A kilobyte may inflate to a megabyte, and what to must not be found out by doing it.
func TestDeflateBomb(t *testing.T) { // not parallel: it measures the memory of all
	const limit = 1 << 20
	config := deflating(1)
	config.MaxPayload = limit
	exact := newPacker(9).pack(blobOf(limit))
	bomb := frame{exact.first, strings.Repeat(exact.payload+deflateTail[:4], 199) + exact.payload}
	stored := newPacker(flate.NoCompression).pack(blobOf(2 * limit)) // beyond what a message of limit may take compressed
	serveEcho(t, config, enginetest.Options{}, func(t *testing.T, s *enginetest.Server) {
		for _, x := range []exercise{
			{"exactly the limit", func(p *peer) { p.packs([]frame{exact}, blobOf(limit)) }},
			{"one octet more", func(p *peer) { p.send(newPacker(9).pack(blobOf(limit + 1))); p.ends(1009) }},
			{"a bomb of 200 MiB", func(p *peer) { p.send(bomb); p.ends(1009) }},
			{"a bomb in fragments", func(p *peer) { p.send(cut(bomb, rsv1|opBinary, 1000)...); p.ends(1009) }},
			{"stored", func(p *peer) { p.send(frame{stored.first, stored.payload}); p.ends(1009) }},
			{"stored, in fragments", func(p *peer) {
				_, _ = p.conn.Write(encode(cut(stored, rsv1|opBinary, 100_000)...)) // we may be told off before all has left
				p.ends(1009)
			}},
		} {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			x.run(t, s, extensions(offer))
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > 60*limit {
				t.Errorf("%s takes %d bytes", x.id, n)
			}
		}
	})
}
