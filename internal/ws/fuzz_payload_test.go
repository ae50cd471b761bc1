package ws

import (
	"compress/flate"
	"encoding/binary"
	"io"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzClosePayload checks what a close frame may carry, against the lists of RFC 6455 and of IANA.
func FuzzClosePayload(f *testing.F) {
	f.Add([]byte("\x03\xe8bye"))
	registered := []int{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}
	f.Fuzz(func(t *testing.T, payload []byte) {
		want := 0
		if len(payload) == 1 {
			want = 1002
		} else if len(payload) > 1 {
			switch code := int(binary.BigEndian.Uint16(payload)); {
			case !slices.Contains(registered, code) && (code < 3000 || code > 4999):
				want = 1002
			case !utf8.Valid(payload[2:]):
				want = 1007
			}
		}
		got := 0
		if err := checkClose(payload); err != nil {
			got = err.Code
		}
		if got != want {
			t.Fatalf("%q is answered %d, want %d", payload, got, want)
		}
		code, reason := ParseClose(payload)
		frame := AppendClose(nil, code, reason)
		if op, _, rest := Split(frame); op != Close || len(rest) > 0 || len(frame) > 127 {
			t.Fatalf("%d %q is the frame %x", code, reason, frame)
		}
	})
}

// FuzzInflate gives a compressed message to a Reader. What comes out is within the limit and what the standard
// library finds in it; and what we compress comes back.
func FuzzInflate(f *testing.F) {
	f.Add([]byte("\xf2\x48\xcd\xc9\xc9\x07\x00"), uint16(100)) // "Hello", RFC 7692 section 7.2.3.1
	f.Fuzz(func(t *testing.T, in []byte, limit uint16) {
		read := func(frame []byte, limit int) (events []event, code int) {
			r := NewReader(&script{}, frame, limit)
			r.AcceptDeflated()
			defer r.Release()
			return drain(t, r)
		}
		if events, code := read(frames(fin|rsv1|2, in), int(limit)); len(events) > 0 {
			out := events[0].payload
			plain, _ := io.ReadAll(flate.NewReader(strings.NewReader(string(in) + deflateTail)))
			if len(events) > 1 || len(out) > int(limit) || out != string(plain) {
				t.Fatalf("%d bytes with limit %d, the standard library finds %d", len(out), limit, len(plain))
			}
		} else if code != 1007 && code != 1009 {
			t.Fatalf("no message, code %d", code)
		}
		ours := AppendDeflated(nil, Binary, in)
		first := int(ours[0])
		ours[0] &^= rsv1 // which Split does not know
		_, payload, _ := Split(ours)
		if events, code := read(frames(first, payload), len(in)); code != 0 || len(events) != 1 || events[0].payload != string(in) {
			t.Fatalf("%d bytes come back as %v, code %d", len(in), events, code)
		}
	})
}
