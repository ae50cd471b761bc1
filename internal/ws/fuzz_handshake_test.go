package ws

import (
	"bufio"
	"bytes"
	"compress/flate"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

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
