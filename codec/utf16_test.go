package codec

import (
	"math/rand/v2"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

func TestUTF16(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		b := randomPacket(r).Data
		if !utf8.Valid(b) {
			continue
		}
		units := utf16.Encode([]rune(string(b)))
		if got := utf16Len(b); got != len(units) {
			t.Fatalf("%q: length %d, want %d", b, got, len(units))
		}
		n := r.IntN(len(units) + 2)
		got, ok := utf16Prefix(b, n)
		if n > len(units) || n > 0 && n < len(units) && utf16.DecodeRune(rune(units[n-1]), rune(units[n])) != utf8.RuneError {
			if ok {
				t.Fatalf("%q: prefix of %d units is %d bytes, want none", b, n, got)
			}
			continue
		}
		if want := len(string(utf16.Decode(units[:n]))); !ok || got != want {
			t.Fatalf("%q: prefix of %d units is %d bytes, %v, want %d", b, n, got, ok, want)
		}
	}
}

func TestUnits(t *testing.T) {
	for c := range 256 {
		for shift := 0; shift < 64; shift += 8 {
			if got, want := units8(uint64(c)<<shift), 7+units1(byte(c)); got != want {
				t.Fatalf("byte %#x at bit %d: %d units, want %d", c, shift, got, want)
			}
		}
	}
}
