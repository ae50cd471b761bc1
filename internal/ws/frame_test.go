package ws

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHeaderAndSplit(t *testing.T) {
	var queue []byte
	sizes := []int{0, 1, 125, 126, 127, 65535, 65536, 100_000}
	for _, n := range sizes {
		at := len(queue)
		queue = AppendHeader(queue, Binary, n)
		if got := len(queue) - at; got != HeaderLen(n) {
			t.Errorf("%d bytes: header of %d, HeaderLen says %d", n, got, HeaderLen(n))
		}
		queue = append(queue, bytes.Repeat([]byte{byte(n)}, n)...)
	}
	queue = AppendClose(queue, 1000, "bye")
	for _, n := range sizes {
		op, payload, rest := Split(queue)
		if op != Binary || len(payload) != n || bytes.Count(payload, []byte{byte(n)}) != n {
			t.Fatalf("%d bytes: op %d, %d bytes", n, op, len(payload))
		}
		queue = rest
	}
	op, payload, rest := Split(queue)
	if code, reason := ParseClose(payload); op != Close || code != 1000 || reason != "bye" || len(rest) != 0 {
		t.Errorf("op %d, code %d, reason %q, rest %x", op, code, reason, rest)
	}
}

func TestHeaderLen(t *testing.T) {
	for n, want := range map[int]int{0: 2, 125: 2, 126: 4, 65535: 4, 65536: 10, 1 << 20: 10} {
		if got := HeaderLen(n); got != want {
			t.Errorf("%d: %d, want %d", n, got, want)
		}
	}
}

func TestSplitPanics(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":       "",
		"one byte":      "\x81",
		"masked":        "\x81\x80abcd",
		"fragment":      "\x01\x00",
		"compressed":    "\xc1\x00",
		"short payload": "\x81\x02a",
		"short length":  "\x81\x7e\x01",
		"short length8": "\x81\x7f\x00\x00\x00\x00\x00\x00\x01",
		"huge":          "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			Split([]byte(b))
		}()
	}
}

func TestAppendClose(t *testing.T) {
	for _, test := range []struct {
		code         int
		reason, want string
	}{
		{0, "ignored", "\x88\x00"},
		{1005, "", "\x88\x00"},
		{1001, "", "\x88\x02\x03\xe9"},
		{1000, "ok", "\x88\x04\x03\xe8ok"},
		{1000, strings.Repeat("a", 200), "\x88\x7d\x03\xe8" + strings.Repeat("a", 123)},
		{1000, strings.Repeat("a", 121) + "€", "\x88\x7b\x03\xe8" + strings.Repeat("a", 121)},
		{1000, strings.Repeat("a", 120) + "€", "\x88\x7d\x03\xe8" + strings.Repeat("a", 120) + "€"},
		{1000, "\xff", "\x88\x05\x03\xe8\uFFFD"},
	} {
		if got := AppendClose([]byte("x"), test.code, test.reason); string(got) != "x"+test.want {
			t.Errorf("%d %q: %x, want %x", test.code, test.reason, got, test.want)
		}
	}
	for n := range 130 { // never more than 125, never half a rune
		_, payload, _ := Split(AppendClose(nil, 1000, strings.Repeat("a", n)+strings.Repeat("😀", 40)))
		if len(payload) > 125 || !utf8.Valid(payload[2:]) {
			t.Errorf("%d: %d bytes", n, len(payload))
		}
	}
}

func TestParseCloseEmpty(t *testing.T) {
	if code, reason := ParseClose(nil); code != 1005 || reason != "" {
		t.Errorf("%d %q", code, reason)
	}
}

func TestUnmask(t *testing.T) {
	for n := range 300 {
		want, got := make([]byte, n), make([]byte, n)
		for i := range want {
			want[i] = byte(rand.Uint32())
		}
		key := rand.Uint32()
		for i := range got {
			got[i] = want[i] ^ byte(key>>(8*(i&3)))
		}
		k, cut := key, rand.IntN(n+1)
		k = unmask(got[:cut], k) // in two parts, at any offset
		unmask(got[cut:], k)
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, cut at %d: wrong", n, cut)
		}
	}
}
