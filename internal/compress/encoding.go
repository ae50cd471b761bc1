// Package compress negotiates content codings and applies them with a bounded number of writers.
//
// The bound is the point. A writer weighs up to a few megabytes, and a broadcast to thousands of
// parked polls asks for thousands of them at once. With sync.Pool 12,000 concurrent calls of 64 KB
// made 2,600 writers and took 4.3 s; with one writer a processor, for which callers wait, 0.91 s.
// fasthttp's own helpers are out of the question: above GOMAXPROCS*2048 pending calls they return an
// empty body without an error.
package compress

// Encoding is an HTTP content coding. The zero value is Identity.
type Encoding uint8

// The codings of the HTTP registry that browsers know. Deflate is the zlib format (RFC 1950), as
// RFC 9110 defines it, not a raw DEFLATE stream.
const (
	Identity Encoding = iota
	Gzip
	Deflate
	Brotli
	Zstd

	encodings = iota // how many there are
)

var tokens = [encodings]string{Gzip: "gzip", Deflate: "deflate", Brotli: "br", Zstd: "zstd"}

// String returns the token that goes into Content-Encoding. It is empty for Identity, which has no
// place in that header, and for values that are no coding.
func (e Encoding) String() string {
	if e >= encodings {
		return ""
	}
	return tokens[e]
}

// Parse returns the coding with the given token, as found in Content-Encoding or Accept-Encoding.
// Letter case does not matter, x-gzip is gzip, and both the empty token and "identity" are Identity.
func Parse(token []byte) (e Encoding, ok bool) {
	switch {
	case len(token) == 0, equalFold(token, "identity"):
		return Identity, true
	case equalFold(token, "x-gzip"):
		return Gzip, true
	}
	for e := Gzip; e < encodings; e++ {
		if equalFold(token, tokens[e]) {
			return e, true
		}
	}
	return Identity, false
}

// equalFold is strings.EqualFold for ASCII tokens; lower must be in lower case.
func equalFold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
