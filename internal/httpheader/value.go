// Package httpheader reads HTTP headers for the engine and the middlewares, whatever the case of their names.
//
// fasthttp finds a header by the exact bytes of its name. It makes them the usual ones when it reads a request,
// unless its server has DisableHeaderNamesNormalizing; then a header that a proxy writes in lower case is not
// found, and a check of it that is skipped lets everybody in. So nothing outside this package asks fasthttp for
// a header by name. Host, Content-Type, Content-Length, Cookie and User-Agent have methods of their own in
// fasthttp, which take any case.
package httpheader

import (
	"bytes"
	"iter"

	"github.com/valyala/fasthttp"
)

// Header is what *fasthttp.RequestHeader and *fasthttp.ResponseHeader have in common.
type Header interface {
	PeekAll(name string) [][]byte
	All() iter.Seq2[[]byte, []byte]
	DisableNormalizing() (before bool)
	EnableNormalizing() (before bool)
}

var (
	_ Header = (*fasthttp.RequestHeader)(nil)
	_ Header = (*fasthttp.ResponseHeader)(nil)
)

var separator = []byte(", ")

// Value returns what h says under name, in any case: nil when it says nothing, and several lines as one list,
// "a, b" (RFC 9110, 5.2), so that a second line is neither hidden nor taken for the first. It is valid as long
// as h is unchanged. It does not allocate where names are normalized and the header has one line.
func Value(h Header, name Name) []byte {
	lines := h.PeekAll(string(name))
	if !normalized(h) {
		lines = anyCase(h, name)
	}
	switch len(lines) {
	case 0:
		return nil
	case 1:
		return lines[0]
	}
	return bytes.Join(lines, separator)
}

func anyCase(h Header, name Name) (lines [][]byte) {
	for key, value := range h.All() {
		if bytes.EqualFold(key, []byte(name)) {
			lines = append(lines, value)
		}
	}
	return lines
}

// normalized reports whether fasthttp has made the names of h the usual ones. fasthttp tells it only to who
// changes the setting.
func normalized(h Header) bool {
	if h.DisableNormalizing() {
		return false
	}
	h.EnableNormalizing()
	return true
}

// AddVary adds name to the Vary header of a response, unless it says so already. What a middleware has put
// there stays.
func AddVary(h *fasthttp.ResponseHeader, name Name) {
	old := Value(h, Vary)
	switch {
	case len(old) == 0:
		h.Set(string(Vary), string(name))
	case HasToken(old, string(name)), HasToken(old, "*"):
	case normalized(h):
		h.Set(string(Vary), string(old)+", "+string(name))
	default: // the old may be spelled otherwise
		h.Add(string(Vary), string(name))
	}
}

// AsksFor reports whether a request asks to switch to a protocol. Without the option "upgrade" in Connection,
// and in HTTP/1.0, the Upgrade header is not for us and does not count (RFC 9110, 7.8).
func AsksFor(h *fasthttp.RequestHeader, protocol string) bool {
	return HasToken(Value(h, Upgrade), protocol) && h.IsHTTP11() && !h.ConnectionClose() &&
		HasToken(Value(h, Connection), "upgrade")
}
