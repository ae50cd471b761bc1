package abuse

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/fasteio/engineio/client"
	"github.com/fasteio/engineio/internal/enginetest"
)

// readLimit is the client's; a bomb is a thousand times that.
const readLimit = 64 << 10

// A trap is a server that answers our client with more than it can want. It is given the connection with a
// request read.
type trap struct {
	name      string
	transport client.Transport
	options   client.Options
	// open answers the handshake, or is nil for a good one; next is what comes then.
	open, next func(w io.Writer)
	dial       bool          // that Dial fails, and not the session
	reason     client.Reason // of a session
	err        string        // what is in the error
}

const goodOpen = `0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

func reply(w io.Writer, body string, lines ...string) {
	fmt.Fprintf(w, "HTTP/1.1 200 OK\r\n%sContent-Length: %d\r\n\r\n%s", strings.Join(append(lines, ""), "\r\n"), len(body), body)
}

// endless writes s until the client hangs up, a gigabyte at most.
func endless(s string) func(io.Writer) {
	large := []byte(strings.Repeat(s, 1+(64<<10)/len(s)))
	return func(w io.Writer) {
		for sent := 0; sent < 1<<30; sent += len(large) {
			if _, err := w.Write(large); err != nil {
				return
			}
		}
	}
}

// after writes s and then what f does.
func after(s string, f func(io.Writer)) func(io.Writer) {
	b := []byte(s)
	return func(w io.Writer) {
		_, _ = w.Write(b) // if it fails so does the rest
		f(w)
	}
}

const tooLong = "more than Options.ReadLimit"

func traps(t *testing.T) []trap {
	endlessBody := after("HTTP/1.1 200 OK\r\nContent-Length: 1099511627776\r\n\r\n4", endless("x"))
	endlessChunks := after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", endless("10000\r\n"+strings.Repeat("x", 1<<16)+"\r\n"))
	hugeChunk := after("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n", endless("x"))
	identity := after("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n4", endless("x"))
	endlessHeader := after("HTTP/1.1 200 OK\r\n", endless("X-Long: y\r\n"))
	all := []trap{
		{name: "body", next: endlessBody, reason: client.ReasonTooBig, err: tooLong},
		{name: "chunks", next: endlessChunks, reason: client.ReasonTooBig, err: tooLong},
		{name: "huge chunk", next: hugeChunk, reason: client.ReasonTooBig, err: tooLong},
		{name: "identity", next: identity, reason: client.ReasonTooBig, err: tooLong},
		{name: "header", next: endlessHeader, reason: client.ReasonTransportError},
		{name: "status line", next: endless("HTTP/1.1 200 OK"), reason: client.ReasonTransportError},
		{name: "open, body", open: endlessBody, dial: true, err: tooLong},
		{name: "open, chunks", open: endlessChunks, dial: true, err: tooLong},
		{name: "open, header", open: endlessHeader, dial: true},
		{name: "open, 101 header", transport: client.WebSocket, open: after("HTTP/1.1 101 Switching Protocols\r\n", endless("X-Long: y\r\n")), dial: true, err: tooLong},
		{name: "open, refusal", transport: client.WebSocket, open: after("HTTP/1.1 400 Bad Request\r\nContent-Length: 1099511627776\r\n\r\n", endless("x")), dial: true},
		{name: "frame of 2^62", transport: client.WebSocket, next: after("\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00", endless("x")), reason: client.ReasonTooBig, err: tooLong},
		{name: "frame of 2^63", transport: client.WebSocket, next: after("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", endless("x")), reason: client.ReasonTooBig},
		{name: "fragments", transport: client.WebSocket, next: after("\x01\x00", endless("\x00\x7e\x10\x00"+strings.Repeat("x", 1<<12))), reason: client.ReasonTooBig, err: tooLong},
		{name: "masked frame", transport: client.WebSocket, next: endless("\x81\x81\x00\x00\x00\x004"), reason: client.ReasonTransportError},
		{name: "deflated", transport: client.WebSocket, options: client.Options{PerMessageDeflate: true},
			next: after(serverFrame(fin|rsv1|opText, deflated(t, "4", readLimit*1000>>20)), endless("x")), reason: client.ReasonTooBig, err: tooLong},
	}
	for name, coding := range codings {
		bomb := string(squeeze(t, "4", 'x', readLimit*1000, coding))
		twice := string(squeeze(t, bomb, 'x', len(bomb), coding))
		say := func(s string) func(io.Writer) { return func(w io.Writer) { reply(w, s, "Content-Encoding: "+name) } }
		all = append(all,
			trap{name: name, next: say(bomb), reason: client.ReasonTooBig, err: tooLong},
			trap{name: "open, " + name, open: say(bomb), dial: true, err: tooLong},
			trap{name: name + " twice", next: func(w io.Writer) { reply(w, twice, "Content-Encoding: "+name+", "+name) }, reason: client.ReasonTransportError, err: "unknown Content-Encoding"},
			trap{name: "cut off, " + name, next: say(bomb[:len(bomb)/2]), err: ""},
		)
	}
	return all
}

// serverFrame is a whole frame of a server's.
func serverFrame(first byte, payload string) string {
	n := len(payload)
	return string([]byte{first, 127, 0, 0, 0, 0, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + payload
}

// Whatever a server answers, the client ends with an error that says so, and has taken no more memory than its
// ReadLimit and what a connection costs. All allocations count, also those that the collector would have had
// back.
func TestClientInTraps(t *testing.T) {
	for _, trap := range traps(t) {
		t.Run(trap.name, func(t *testing.T) { // one at a time: the allocations of others would count
			url := trap.serve(t)
			trap.attack(t, url) // warms pools up
			before := allocated()
			trap.attack(t, url)
			limit := uint64(8*readLimit + 3<<20)
			if strings.HasSuffix(trap.name, "br") || strings.HasSuffix(trap.name, "zstd") {
				limit += 16 << 20 // their windows may be that large, whatever the limit
			}
			if taken := allocated() - before; taken > limit {
				t.Errorf("%d bytes allocated, want %d at most", taken, limit)
			}
		})
	}
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func (p trap) attack(t *testing.T, url string) {
	t.Helper()
	o := p.options
	o.ReadLimit, o.Proxy, o.Logger = readLimit, http.ProxyURL(nil), slog.New(slog.DiscardHandler)
	o.Transports = []client.Transport{max(p.transport, client.Polling)}
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	c, err := client.Dial(ctx, url, &o)
	if p.dial {
		if err == nil || ctx.Err() != nil || !strings.Contains(err.Error(), p.err) {
			t.Fatalf("Dial: %v, want %q", err, p.err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	_, err = c.Read(ctx)
	var why *client.CloseError
	if !errors.As(err, &why) || !errors.Is(err, client.ErrClosed) || p.reason != 0 && why.Reason != p.reason || !strings.Contains(err.Error(), p.err) {
		t.Fatalf("ended with %v, want %v and %q", err, p.reason, p.err)
	}
}

// serve answers on loopback until the test ends.
func (p trap) serve(t *testing.T) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.answer(c)
		}
	}()
	t.Cleanup(func() { _ = ln.Close(); <-done })
	return "http://" + ln.Addr().String()
}

// answer serves one connection to its end.
func (p trap) answer(c net.Conn) {
	defer enginetest.Reset(c)
	for r := bufio.NewReader(c); ; {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		switch key := request.Header.Get("Sec-WebSocket-Key"); {
		case request.URL.Query().Get("sid") != "":
			p.next(c)
		case p.open != nil:
			p.open(c)
		case key != "":
			p.upgrade(c, key)
			p.next(c)
			_, _ = io.Copy(io.Discard, c) // its close frame
			return
		default:
			reply(c, goodOpen)
		}
	}
}

func (p trap) upgrade(w io.Writer, key string) {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	var b bytes.Buffer
	b.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n")
	if p.options.PerMessageDeflate {
		b.WriteString("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n")
	}
	fmt.Fprintf(&b, "Sec-WebSocket-Accept: %s\r\n\r\n\x81%c%s", base64.StdEncoding.EncodeToString(sum[:]), len(goodOpen), goodOpen)
	_, _ = w.Write(b.Bytes())
}
