package compress

import (
	"testing"
)

func TestNegotiate(t *testing.T) {
	all := []Encoding{Brotli, Gzip, Deflate, Zstd}
	tests := []struct {
		accept  string
		offered []Encoding
		want    Encoding
	}{
		{"", all, Identity},
		{"gzip", all, Gzip},
		{"GZip", all, Gzip},
		{"x-gzip", all, Gzip},
		{"deflate", all, Deflate},
		{"zstd", all, Zstd},
		{"gzip, deflate, br, zstd", all, Brotli},
		{"gzip, deflate, br, zstd", []Encoding{Zstd, Gzip}, Zstd},
		{"gzip, deflate", all, Gzip},
		{"gzip", []Encoding{Brotli}, Identity},
		{"gzip", nil, Identity},
		{"gzip", []Encoding{Identity, Gzip}, Gzip},
		{"gzip", []Encoding{200, Gzip}, Gzip},
		{"gzip;q=0.5, br;q=0.4", all, Gzip},
		{"gzip;q=0.5, br;q=0.501", all, Brotli},
		{"gzip; Q=0.5 , br ;q= 0.4", all, Gzip},
		{"gzip;level=9;q=0.1, br;q=0.2", all, Brotli},
		{"br;q=0, gzip", all, Gzip},
		{"br;q=0.000", all, Identity},
		{"br;q=0, *", all, Gzip},
		{"*", all, Brotli},
		{"*;q=0", all, Identity},
		{"*;q=0, zstd", all, Zstd},
		{"*;q=0.5, gzip;q=0.4", []Encoding{Gzip}, Identity}, // "*" is identity too
		{"identity", all, Identity},
		{"identity, gzip", all, Gzip}, // a tie
		{"identity;q=1, gzip;q=0.9", all, Identity},
		{"identity;q=0.5, gzip", all, Gzip},
		{"identity;q=0, gzip;q=0.1", all, Gzip},
		{"identity;q=0", all, Identity}, // nothing else is acceptable
		{"identity;q=0, *;q=0", all, Identity},
		{"compress, gzip", all, Gzip},
		{"gzipped", all, Identity},
		{" , ,gzip,", all, Gzip},
		{";q=1", all, Identity},
		{"gzip;q=", all, Identity},
		{"gzip;q=x", all, Identity},
		{"gzip;q=-1", all, Identity},
		{"gzip;q=2", all, Identity},
		{"gzip;q=1.001", all, Identity},
		{"gzip;q=10", all, Identity},
		{"gzip;q=1.000", all, Gzip},
		{"gzip;q=1.", all, Gzip},
		{"gzip;q=0.00001", all, Gzip},
		{"gzip;q=0.33333333333333333333333333, br;q=0.3", all, Gzip},
		{"gzip;q=x, *", []Encoding{Gzip}, Identity}, // malformed is refused, not unnamed
		{"gzip;q=0, gzip", all, Gzip},
	}
	for _, tt := range tests {
		if got := Negotiate([]byte(tt.accept), tt.offered...); got != tt.want {
			t.Errorf("Negotiate(%q, %v) = %q, want %q", tt.accept, tt.offered, got, tt.want)
		}
	}
}

func TestParse(t *testing.T) {
	for e := Identity; e < encodings; e++ {
		if got, ok := Parse([]byte(e.String())); got != e || !ok {
			t.Errorf("Parse(%q) = %d, %v", e, got, ok)
		}
	}
	for _, s := range []string{"gzi", "compress", "*", "br "} {
		if e, ok := Parse([]byte(s)); ok {
			t.Errorf("Parse(%q) = %q", s, e)
		}
	}
	if s := Encoding(77).String(); s != "" {
		t.Errorf("a coding that does not exist is %q", s)
	}
}

func TestNegotiateAllocs(t *testing.T) {
	c := newCompressor(t, Options{})
	accept := []byte("gzip;q=0.8, deflate, br;q=1.0, *;q=0.1")
	if n := testing.AllocsPerRun(100, func() { c.Negotiate(accept) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzNegotiate(f *testing.F) {
	for _, s := range []string{"gzip, br;q=0.5", "*;q=0,identity;q=0.1", ";;;,q=1,=", "gzip;q=1.0000000000000001"} {
		f.Add([]byte(s))
	}
	offered := []Encoding{Brotli, Gzip, Deflate}
	f.Fuzz(func(t *testing.T, accept []byte) {
		switch e := Negotiate(accept, offered...); e {
		case Identity, Brotli, Gzip, Deflate:
		default:
			t.Fatalf("chose %v, which was not offered", e)
		}
		refused := append([]byte("*;q=0,"), accept...)
		if e := Negotiate(append(refused, ",gzip;q=0,br;q=0,deflate;q=0"...), offered...); e != Identity {
			t.Fatalf("chose %v, which was refused", e)
		}
	})
}

func BenchmarkNegotiate(b *testing.B) {
	accept := []byte("gzip, deflate, br, zstd")
	b.ReportAllocs()
	for b.Loop() {
		Negotiate(accept, Zstd, Gzip, Brotli, Deflate)
	}
}
