package wshandshake

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// FuzzHandshake gives header lines to CheckUpgrade, Accept and NegotiateDeflate. A request is refused with a
// status that fits, or it is what RFC 6455 asks for, by net/http's reading of it, and nothing of it gets into
// the answer but the key's hash, one subprotocol that was offered and an extension that we know.
func FuzzHandshake(f *testing.F) {
	f.Add([]byte("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
	f.Fuzz(func(t *testing.T, lines []byte) {
		text := slices.Concat([]byte("GET /engine.io/ HTTP/1.1\r\nHost: a\r\n"), lines, []byte("\r\n\r\n"))
		ctx := new(fasthttp.RequestCtx)
		if ctx.Request.Header.Read(bufio.NewReaderSize(bytes.NewReader(text), 64<<10)) != nil {
			return
		}
		if err := CheckUpgrade(ctx); err != nil {
			var e *HandshakeError
			if !errors.As(err, &e) || !slices.Contains([]int{400, 405, 426}, e.Status) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(text))); err == nil {
			for name, token := range map[string]string{"Connection": "upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13"} {
				if !strings.Contains(strings.ToLower(strings.Join(theirs.Header.Values(name), ",")), token) {
					t.Fatalf("accepted with %s: %q", name, theirs.Header.Values(name))
				}
			}
		}
		Accept(ctx, NegotiateDeflate(ctx))
		checkAccepted(t, ctx)
	})
}

func checkAccepted(t *testing.T, ctx *fasthttp.RequestCtx) {
	t.Helper()
	key := ctx.Request.Header.Peek("Sec-WebSocket-Key")
	if nonce, err := base64.StdEncoding.DecodeString(string(key)); err != nil || len(nonce) != 16 {
		t.Fatalf("accepted with the key %q", key)
	}
	sum := sha1.Sum([]byte(string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	ctx.Response.SkipBody = true
	head := ctx.Response.Header.String()
	for line := range strings.SplitSeq(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n") {
		name, value, _ := strings.Cut(line, ": ")
		ok := true
		switch name {
		case "HTTP/1.1 101 Switching Protocols", "Date", "Content-Type", "Content-Length", "Server":
		case "Connection":
			ok = value == "Upgrade"
		case "Upgrade":
			ok = value == "websocket"
		case "Sec-Websocket-Accept":
			ok = value == base64.StdEncoding.EncodeToString(sum[:])
		case "Sec-Websocket-Extensions":
			ok = value == deflateAnswer || value == deflateAnswer15
		case "Sec-Websocket-Protocol":
			offers := string(bytes.Join(ctx.Request.Header.PeekAll("Sec-WebSocket-Protocol"), []byte(",")))
			ok = httpheader.IsToken([]byte(value)) && strings.Contains(offers, value)
		default:
			ok = false
		}
		if !ok || strings.ContainsAny(line, "\r\n") {
			t.Fatalf("the answer says %q", head)
		}
	}
}

// FuzzNegotiateDeflate compares the answer to Sec-WebSocket-Extensions with one that was written for reading.
func FuzzNegotiateDeflate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits")
	f.Fuzz(func(t *testing.T, value string) {
		ctx := new(fasthttp.RequestCtx)
		ctx.Request.Header.Set("Sec-WebSocket-Extensions", value)
		sent := string(ctx.Request.Header.Peek("Sec-WebSocket-Extensions")) // without line ends
		want := ""
		for offer := range strings.SplitSeq(sent, ",") {
			if want = answerTo(offer); want != "" {
				break
			}
		}
		if got := NegotiateDeflate(ctx); got != want {
			t.Fatalf("%q is answered %q, want %q", sent, got, want)
		}
	})
}

// answerTo is answerOffer once more.
func answerTo(offer string) string {
	parts := strings.Split(offer, ";")
	if !asciiFold(strings.Trim(parts[0], " \t"), "permessage-deflate") {
		return ""
	}
	answer, seen := deflateAnswer, map[string]bool{}
	for _, part := range parts[1:] {
		name, value, given := strings.Cut(part, "=")
		name = strings.ToLower(strings.Trim(name, " \t"))
		value = strings.Trim(value, " \t")
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		bits := slices.Index([]string{"8", "9", "10", "11", "12", "13", "14", "15"}, value) + 8
		switch {
		case seen[name]:
			return ""
		case name == "server_no_context_takeover" && !given, name == "client_no_context_takeover" && !given:
		case name == "client_max_window_bits" && (!given || bits >= 8):
		case name == "server_max_window_bits" && given && bits == 15:
			answer = deflateAnswer15
		default:
			return ""
		}
		seen[name] = true
	}
	return answer
}

func asciiFold(a, b string) bool { return bytes.EqualFold([]byte(a), []byte(b)) }
