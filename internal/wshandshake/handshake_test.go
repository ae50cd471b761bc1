package wshandshake

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/ws"
	"github.com/fasteio/engineio/internal/wstest"
)

func TestCheckUpgrade(t *testing.T) {
	const good = "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	for _, test := range []struct {
		name, from, to string
		status         int
	}{
		{"good", "", "", 0},
		{"header names in lower case", "Sec-WebSocket-K", "sec-websocket-k", 0},
		{"two Connection lines", "keep-alive, Upgrade", "keep-alive\r\nConnection: upgrade", 0},
		{"two protocols", "WebSocket", "h2c, websocket", 0},
		{"POST", "GET /", "POST /", 405},
		{"HTTP/1.0", "1.1", "1.0", 426},
		{"no Connection", "keep-alive, Upgrade", "keep-alive", 426},
		{"token within a word", ", Upgrade", ", Upgraded", 426},
		{"Connection: close", "keep-alive, Upgrade", "close", 400},
		{"other protocol", "WebSocket", "websocket2", 426},
		{"old version", ": 13", ": 8", 426},
		{"no version", "Sec-WebSocket-Version: 13\r\n", "", 426},
		{"two versions", ": 13", ": 13\r\nSec-WebSocket-Version: 13", 426},
		{"no key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "", 400},
		{"short key", "dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=", 400},
		{"15 bytes", "dGhlIHNhbXBsZSBub25jZQ==", "MTIzNDU2Nzg5MDEyMzQ1", 400},
		{"17 bytes", "dGhlIHNhbXBsZSBub25jZQ==", "MTIzNDU2Nzg5MDEyMzQ1Njc=", 400},
		{"not base64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j!Q==", 400},
		{"loose bits", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZR==", 0},
		{"two keys", "ZQ==", "ZQ==\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", 400},
	} {
		for _, raw := range []bool{false, true} {
			var ctx fasthttp.RequestCtx
			if raw {
				ctx.Request.Header.DisableNormalizing()
			}
			in := strings.Replace(good, test.from, test.to, 1)
			if err := ctx.Request.Header.Read(bufio.NewReader(strings.NewReader(in))); err != nil {
				t.Fatal(test.name, err)
			}
			err := CheckUpgrade(&ctx)
			status := 0
			var refusal *HandshakeError
			if errors.As(err, &refusal) {
				status = refusal.Status
			}
			if status != test.status {
				t.Errorf("%s (names as sent: %v): %v, want %d", test.name, raw, err, test.status)
			}
			version := string(ctx.Response.Header.Peek("Sec-WebSocket-Version"))
			upgrade := string(ctx.Response.Header.Peek("Upgrade"))
			if want := status == 426; (version == "13") != want || (upgrade == "websocket") != want {
				t.Errorf("%s: version %q, upgrade %q", test.name, version, upgrade)
			}
		}
	}
}

func TestAccept(t *testing.T) {
	var ctx fasthttp.RequestCtx
	ctx.Request.Header.Set("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	ctx.Request.Header.Set("Sec-WebSocket-Protocol", " , bad token, chat.v1, chat.v2")
	Accept(&ctx, "x")
	ctx.Request.Header.Set("Sec-WebSocket-Protocol", "................................") // the answer is a copy
	for name, want := range map[string]string{
		"Upgrade":                  "websocket",
		"Connection":               "Upgrade",
		"Sec-WebSocket-Accept":     "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
		"Sec-WebSocket-Protocol":   "chat.v1",
		"Sec-WebSocket-Extensions": "x",
	} {
		if got := string(ctx.Response.Header.Peek(name)); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if ctx.Response.StatusCode() != 101 {
		t.Errorf("status %d", ctx.Response.StatusCode())
	}
}

func TestNegotiateDeflate(t *testing.T) {
	const plain, with15 = deflateAnswer, deflateAnswer15
	for offer, want := range map[string]string{
		"":                   "",
		"permessage-deflate": plain,
		"Permessage-Deflate; Client_Max_Window_Bits":                               plain, // as browsers do, but for the case
		"permessage-deflate; client_max_window_bits=10":                            plain,
		`permessage-deflate; client_max_window_bits="8"`:                           plain,
		"permessage-deflate;server_no_context_takeover;client_no_context_takeover": plain,
		"permessage-deflate; server_max_window_bits=15":                            with15,
		"permessage-deflate; server_max_window_bits=10":                            "",
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":        plain,
		"permessage-deflate; server_max_window_bits":                               "",
		"permessage-deflate; server_max_window_bits=7":                             "",
		"permessage-deflate; server_max_window_bits=015":                           "",
		"permessage-deflate; client_max_window_bits=16":                            "",
		"permessage-deflate; client_max_window_bits=":                              "",
		"permessage-deflate; server_no_context_takeover=1":                         "",
		"permessage-deflate; client_max_window_bits; client_max_window_bits=9":     "",
		"permessage-deflate; x":                                                    "",
		"permessage-deflate;":                                                      "",
		"permessage-deflatexyz":                                                    "",
		"x-webkit-deflate-frame":                                                   "",
		"mux; a=1, permessage-deflate":                                             plain,
		"x-webkit; y, , ;;;, permessage":                                           "",
	} {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.Set("Sec-WebSocket-Extensions", offer)
		if got := NegotiateDeflate(&ctx); got != want {
			t.Errorf("%q: %q, want %q", offer, got, want)
		}
	}
}

// echo serves the package's own handshake and echoes; it closes as the protocol wants it. A connection that is
// kept outlives the hijack handler.
func echo(ctx *fasthttp.RequestCtx) {
	if err := CheckUpgrade(ctx); err != nil {
		ctx.SetStatusCode(err.(*HandshakeError).Status)
		return
	}
	extensions := ""
	if ctx.QueryArgs().Has("deflate") {
		extensions = NegotiateDeflate(ctx)
	}
	Accept(ctx, extensions)
	ctx.Hijack(func(hijacked net.Conn) {
		early := Early(hijacked)
		c := Raw(hijacked)
		if !Kept(hijacked) {
			echoOn(c, early, extensions != "")
			return
		}
		go func() {
			defer c.Close()
			echoOn(c, early, extensions != "")
		}()
	})
}

func echoOn(c net.Conn, early []byte, deflate bool) {
	r := ws.NewReader(c, early, 1<<20)
	defer r.Release()
	if deflate {
		r.AcceptDeflated()
	}
	var out []byte
	for {
		op, payload, err := r.Next()
		var bad *ws.Error
		if errors.As(err, &bad) {
			c.Write(ws.AppendClose(out, bad.Code, bad.Reason))
			return
		}
		if err != nil {
			return
		}
		switch {
		case op == ws.Close:
			code, reason := ws.ParseClose(payload)
			c.Write(ws.AppendClose(out, code, reason))
			return
		case op == ws.Ping:
			out = append(ws.AppendHeader(out, ws.Pong, len(payload)), payload...)
		case op == ws.Pong:
		case deflate:
			out = ws.AppendDeflated(out, op, payload)
		default:
			out = append(ws.AppendHeader(out, op, len(payload)), payload...)
		}
		if !r.Buffered() {
			c.Write(out)
			out = out[:0]
		}
	}
}

// server runs srv, with echo if it has no handler, and returns a way to dial it.
func server(t *testing.T, srv *fasthttp.Server, secure bool) (addr string, dial func() net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = ln.Addr().String()
	dial = func() net.Conn {
		t.Helper()
		c, err := net.Dial("tcp4", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		if secure {
			return tls.Client(c, &tls.Config{InsecureSkipVerify: true})
		}
		return c
	}
	if secure {
		ln = tls.NewListener(ln, enginetest.ServerTLS(t))
	}
	if srv.Handler == nil {
		srv.Handler = echo
	}
	srv.ReadTimeout = 10 * time.Second
	go srv.Serve(ln)
	t.Cleanup(func() { srv.Shutdown() })
	return addr, dial
}

func TestAgainstClient(t *testing.T) {
	for _, secure := range []bool{false, true} {
		for _, deflate := range []bool{false, true} {
			t.Run(fmt.Sprintf("tls=%v,deflate=%v", secure, deflate), func(t *testing.T) {
				addr, dial := server(t, new(fasthttp.Server), secure)
				d := websocket.Dialer{
					NetDial:           func(string, string) (net.Conn, error) { return dial(), nil },
					Subprotocols:      []string{"one", "two"},
					EnableCompression: deflate,
				}
				c, resp, err := d.Dial("ws://"+addr+"/?"+map[bool]string{true: "deflate"}[deflate], nil)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				if c.Subprotocol() != "one" || (resp.Header.Get("Sec-WebSocket-Extensions") != "") != deflate {
					t.Errorf("subprotocol %q, header %v", c.Subprotocol(), resp.Header)
				}
				echoes(t, c)
			})
		}
	}
}

func echoes(t *testing.T, c *websocket.Conn) {
	t.Helper()
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	pong := make(chan string, 1)
	c.SetPongHandler(func(s string) error { pong <- s; return nil })
	noise := make([]byte, 1<<20)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	for _, size := range []int{0, 1, 125, 126, 5000, 65535, 65536, 200_000, 1 << 20} {
		for _, kind := range []int{websocket.TextMessage, websocket.BinaryMessage} {
			message := noise[:size]
			if kind == websocket.TextMessage {
				message = bytes.Repeat([]byte("x€"), size/4+1)[:size/4*4]
			}
			written := make(chan struct{})
			go func() { // the server echoes while we write
				defer close(written)
				w, _ := c.NextWriter(kind)
				for rest := message; ; { // in frames of 4 KiB and less
					n := min(len(rest), 3000)
					w.Write(rest[:n])
					if rest = rest[n:]; len(rest) == 0 {
						break
					}
				}
				w.Close()
			}()
			got, answer, err := c.ReadMessage()
			<-written
			if err != nil || got != kind || !bytes.Equal(answer, message) {
				t.Fatalf("%d bytes of kind %d: kind %d, %d bytes, %v", size, kind, got, len(answer), err)
			}
		}
	}
	c.WriteControl(websocket.PingMessage, []byte("are you there"), time.Now().Add(time.Second))
	c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(4000, "enough"), time.Now().Add(time.Second))
	_, _, err := c.ReadMessage()
	if !websocket.IsCloseError(err, 4000) {
		t.Errorf("closed with %v", err)
	}
	select {
	case got := <-pong:
		if got != "are you there" {
			t.Errorf("pong %q", got)
		}
	default:
		t.Error("no pong before the close")
	}
}

const upgradeRequest = "GET /echo HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// The frames of a client whose second message is still under way after begin.
var (
	long  = strings.Repeat("0123456789abcdef", 20<<10/16) // more than fasthttp reads at once
	begin = wstest.Encode(wstest.Text("first"), wstest.Frame{First: wstest.OpText, Payload: "sec"})
	end   = wstest.Encode(wstest.Frame{First: wstest.Fin | wstest.OpContinuation, Payload: "ond"},
		wstest.Binary(long), wstest.Closing(1000, ""))
)

// What comes in the same segment as the upgrade request is not lost, be it whole frames or a part of one.
func TestEarlyFrames(t *testing.T) {
	in := slices.Concat(begin, end)
	eachServer(t, func(t *testing.T, srv *fasthttp.Server, secure bool) {
		_, dial := server(t, srv, secure)
		for _, cut := range []int{0, 1, 5, 11, 14, 30, 100, 3000, 10_000, len(in)} {
			c := dial()
			c.SetDeadline(time.Now().Add(10 * time.Second))
			go func() {
				c.Write(append([]byte(upgradeRequest), in[:cut]...))
				c.Write(in[cut:])
			}()
			answers(t, c)
			c.Close()
		}
	})
}

// eachServer runs f for every server whose hijacked connections differ.
func eachServer(t *testing.T, f func(t *testing.T, srv *fasthttp.Server, secure bool)) {
	for i := range 1 << 4 {
		secure, reduce, kept, perIP := i&1 > 0, i&2 > 0, i&4 > 0, i&8>>3*5
		t.Run(fmt.Sprintf("tls=%v,reduce=%v,kept=%v,perIP=%d", secure, reduce, kept, perIP), func(t *testing.T) {
			f(t, &fasthttp.Server{ReduceMemoryUsage: reduce, KeepHijackedConns: kept, MaxConnsPerIP: perIP}, secure)
		})
	}
}

func TestEarlyFramesInMemory(t *testing.T) {
	ln := fasthttputil.NewInmemoryListener()
	srv := &fasthttp.Server{Handler: echo}
	go srv.Serve(ln)
	defer srv.Shutdown()
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	c.Write(append([]byte(upgradeRequest), begin...))
	c.Write(end)
	answers(t, c)
}

func answers(t *testing.T, c net.Conn) {
	t.Helper()
	br := bufio.NewReaderSize(c, 64<<10)
	resp, err := http.ReadResponse(br, nil)
	if err != nil || resp.StatusCode != 101 {
		t.Fatalf("%v, %v", resp, err)
	}
	var want []byte
	for _, m := range []struct {
		op      ws.Op
		payload string
	}{{ws.Text, "first"}, {ws.Text, "second"}, {ws.Binary, long}, {ws.Close, "\x03\xe8"}} {
		want = append(ws.AppendHeader(want, m.op, len(m.payload)), m.payload...)
	}
	got := make([]byte, len(want))
	if n, err := io.ReadFull(br, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d: %v", n, len(want), err)
	}
}

func TestRefusalOnTheWire(t *testing.T) {
	_, dial := server(t, new(fasthttp.Server), false)
	c := dial()
	io.WriteString(c, strings.Replace(upgradeRequest, ": 13", ": 12", 1))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil || resp.StatusCode != 426 || resp.Header.Get("Sec-WebSocket-Version") != "13" ||
		resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Connection") != "Upgrade" {
		t.Errorf("%v, %v", resp, err)
	}
}
