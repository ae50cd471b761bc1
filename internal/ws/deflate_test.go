package ws

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// deflated is a message as a client compresses it, by the standard library.
func deflated(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, 9)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(w, s)
	w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte("\x00\x00\xff\xff"))
}

// final is a message whose last block has the final bit.
func final(s string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, 9)
	io.WriteString(w, s)
	w.Close()
	return b.Bytes()
}

func TestReadDeflated(t *testing.T) {
	noise := make([]byte, 1<<16)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	hello := deflated(t, "Hello, Hello")
	stored := func(s string) string { // as the level 0 of many libraries
		return "\x00" + string([]byte{byte(len(s)), byte(len(s) >> 8), ^byte(len(s)), ^byte(len(s) >> 8)}) + s + "\x00"
	}
	for _, test := range []struct {
		name string
		in   []byte
		want []event
		code int
	}{
		{"one frame", frames(fin|rsv1|1, hello), []event{{Text, "Hello, Hello"}}, 0},
		{"RFC 7692 7.2.3.1", frames(fin|rsv1|1, "\xf2\x48\xcd\xc9\xc9\x07\x00"), []event{{Text, "Hello"}}, 0},
		{"RFC 7692 7.2.3.3", frames(fin|rsv1|1, "\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"), []event{{Text, "Hello"}}, 0},
		{"RFC 7692 7.2.3.4", frames(fin|rsv1|1, "\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), []event{{Text, "Hello"}}, 0},
		{"RFC 7692 7.2.3.5", frames(fin|rsv1|1, "\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"), []event{{Text, "Hello"}}, 0},
		{"final without zero", frames(fin|rsv1|1, final("Hello")), []event{{Text, "Hello"}}, 0},
		{"more after final", frames(fin|rsv1|1, append(final("Hello"), 1)), []event{{Text, "Hello"}}, 0},
		{"two streams", frames(fin|rsv1|1, append(final("Hello"), hello...)), []event{{Text, "HelloHello, Hello"}}, 0},
		{"empty", frames(fin|rsv1|1, "\x00"), []event{{Text, ""}}, 0},
		{"no payload", frames(fin|rsv1|1, ""), nil, 1007},
		{"fragments", frames(rsv1|2, hello[:3], fin|9, "p", 0, hello[3:5], fin, hello[5:]),
			[]event{{Ping, "p"}, {Binary, "Hello, Hello"}}, 0},
		{"mixed", frames(fin|1, "plain", fin|rsv1|1, hello, fin|2, "plain", fin|rsv1|2, hello),
			[]event{{Text, "plain"}, {Text, "Hello, Hello"}, {Binary, "plain"}, {Binary, "Hello, Hello"}}, 0},
		{"noise", frames(fin|rsv1|2, deflated(t, string(noise))), []event{{Binary, string(noise)}}, 0},
		{"exactly the limit", frames(fin|rsv1|2, deflated(t, strings.Repeat("a", 1<<20))),
			[]event{{Binary, strings.Repeat("a", 1<<20)}}, 0},
		{"one more", frames(fin|rsv1|2, deflated(t, strings.Repeat("a", 1<<20+1))), nil, 1009},
		{"bomb", frames(fin|rsv1|2, deflated(t, strings.Repeat("a", 30<<20))), nil, 1009},
		{"stored", frames(fin|rsv1|1, stored(long)), []event{{Text, long}}, 0},
		{"not deflate", frames(fin|rsv1|1, "\xff\xff\xff\xff"), nil, 1007},
		{"cut off", frames(fin|rsv1|1, hello[:4]), nil, 1007},
		{"not UTF-8", frames(fin|rsv1|1, deflated(t, "a\xff")), nil, 1007},
		{"cut rune", frames(fin|rsv1|1, deflated(t, "a\xe2\x82")), nil, 1007},
		{"bit on ping", frames(fin|rsv1|9, "a"), nil, 1002},
		{"bit on continuation", frames(rsv1|1, hello[:3], fin|rsv1, hello[3:]), nil, 1002},
		{"second bit", frames(fin|rsv1|rsv2|1, hello), nil, 1002},
	} {
		steps := []int{len(test.in), 1000}
		if len(test.in) < 100 {
			steps = append(steps, 1, 2, 3)
		}
		for _, step := range steps {
			r := NewReader(&script{chunks: slices.Collect(slices.Chunk(clone(test.in), step))}, nil, 1<<20)
			r.AcceptDeflated()
			events, code := drain(t, r)
			if !slices.Equal(events, test.want) || code != test.code {
				t.Errorf("%s in steps of %d: %v, code %d; want %v, code %d", test.name, step, events, code, test.want, test.code)
			}
			if r.msg != nil && cap(*r.msg) > 2<<20 {
				t.Errorf("%s: %d bytes held", test.name, cap(*r.msg))
			}
			r.Release()
		}
	}
}

func TestAppendDeflated(t *testing.T) {
	var wg sync.WaitGroup
	for range 8 { // more than compressors
		wg.Go(func() {
			for _, s := range []string{"", "a", "Hello, Hello, Hello", long, strings.Repeat("x", 125), strings.Repeat("x", 126),
				strings.Repeat("ab", 50_000), strings.Repeat("\x01\x07\xfe", 400_000)} {
				frame := AppendDeflated([]byte("head"), Binary, []byte(s))[4:]
				if len(frame) > HeaderLen(len(s))+len(s) {
					t.Errorf("%d bytes grew to %d", len(s), len(frame))
				}
				h, n := frame[0], 2
				switch frame[1] {
				case 126:
					n = 4
				case 127:
					n = 10
				}
				body := frame[n:]
				if HeaderLen(len(body)) != n {
					t.Errorf("%d bytes: header of %d for %d", len(s), n, len(body))
				}
				got := body
				if h&rsv1 != 0 {
					got, _ = io.ReadAll(flate.NewReader(io.MultiReader(bytes.NewReader(body), strings.NewReader(deflateTail))))
				} else if len(s) > 100 {
					t.Errorf("%d bytes left as they are", len(s))
				}
				if h&^rsv1 != fin|byte(Binary) || string(got) != s {
					t.Errorf("%d bytes: first byte %x, %d bytes back", len(s), h, len(got))
				}
			}
		})
	}
	wg.Wait()
}

// Who tests an application in synctest bubbles shares the compressors of the process between them.
func TestDeflateInBubbles(t *testing.T) {
	pack := func(t *testing.T) {
		AppendDeflated(nil, Binary, make([]byte, 1000))
		r := NewReader(&script{chunks: [][]byte{frames(fin|rsv1|1, deflated(t, "Hello, Hello"))}}, nil, 100)
		r.AcceptDeflated()
		defer r.Release()
		if _, msg, err := r.Next(); err != nil || string(msg) != "Hello, Hello" {
			t.Errorf("got %q, %v", msg, err)
		}
	}
	synctest.Test(t, pack)
	synctest.Test(t, pack)
	pack(t)
}

// An inflater that waits for work has nothing of the last message, which may have been large.
func TestIdleInflaterHoldsNothing(t *testing.T) {
	z := newInflater()
	packed := append(bytes.Clone(deflated(t, "Hello, Hello")), deflateTail...)
	out, err := z.inflate(packed, 100)
	if err != nil || string(*out) != "Hello, Hello" || z.src.Size() != 0 {
		t.Errorf("%q, %v; %d bytes are held", *out, err, z.src.Size())
	}
	putBuffer(out)
}
