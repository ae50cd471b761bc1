package wshandshake

import (
	"bytes"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// Neither side keeps its window from message to message: that would be 300 KB and more per connection, idle or not.
const (
	deflateAnswer   = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	deflateAnswer15 = deflateAnswer + "; server_max_window_bits=15"
)

// NegotiateDeflate returns the Sec-WebSocket-Extensions that accepts the first offer of permessage-deflate that can
// be honoured, empty if none can: one with parameters that are unknown, repeated or out of range, or one that
// wants the server to keep to a window below 32 KiB.
func NegotiateDeflate(ctx *fasthttp.RequestCtx) string {
	offers := httpheader.Value(&ctx.Request.Header, httpheader.SecWebSocketExtensions)
	for offer := range httpheader.Elements(offers) { // no parameter we take has a comma in quotes
		if answer := answerOffer(offer); answer != "" {
			return answer
		}
	}
	return ""
}

func answerOffer(offer []byte) string {
	extension, params, more := bytes.Cut(offer, []byte{';'})
	if !bytes.EqualFold(bytes.Trim(extension, " \t"), []byte("permessage-deflate")) {
		return ""
	}
	answer := deflateAnswer
	var seen [4]bool
	for more {
		var param []byte
		param, params, more = bytes.Cut(params, []byte{';'})
		name, value, hasValue := bytes.Cut(param, []byte{'='})
		which, ok := -1, false
		switch string(bytes.ToLower(bytes.Trim(name, " \t"))) {
		case "server_no_context_takeover":
			which, ok = 0, !hasValue
		case "client_no_context_takeover":
			which, ok = 1, !hasValue
		case "client_max_window_bits": // a permission to limit the client, which we need not
			which, ok = 2, !hasValue || windowBits(value) > 0
		case "server_max_window_bits":
			which, ok = 3, windowBits(value) == 15
			answer = deflateAnswer15
		}
		if !ok || seen[which] {
			return ""
		}
		seen[which] = true
	}
	return answer
}

// windowBits parses 8 to 15, plain or in quotes; anything else is 0.
func windowBits(b []byte) int {
	b = bytes.Trim(b, " \t")
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		b = b[1 : len(b)-1]
	}
	switch {
	case len(b) == 1 && (b[0] == '8' || b[0] == '9'):
		return int(b[0] - '0')
	case len(b) == 2 && b[0] == '1' && '0' <= b[1] && b[1] <= '5':
		return 10 + int(b[1]-'0')
	}
	return 0
}
