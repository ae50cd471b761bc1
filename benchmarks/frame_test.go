package benchmarks

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/fasthttp/websocket"
	gobwas "github.com/gobwas/ws"
	"github.com/lxzan/gws"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/ws"
)

// readers are libraries that read frames. Each serves one connection, whose client has said
// handshake, calls got for every message, and returns when the connection ends.
var readers = map[string]func(c net.Conn, got func()){
	"engineio": readOurs, "fasthttp": readFasthttp, "gws": readGWS, "gobwas": readGobwas,
}

// Masked frames, read as fast as they come: over loopback, and from memory, which is the framing
// alone.
func BenchmarkFrames(b *testing.B) {
	for _, size := range sizes {
		for _, name := range []string{"engineio", "fasthttp", "gws", "gobwas"} {
			b.Run(fmt.Sprintf("loopback/%d/%s", size, name), func(b *testing.B) { overLoopback(b, readers[name], size) })
			b.Run(fmt.Sprintf("memory/%d/%s", size, name), func(b *testing.B) { fromMemory(b, readers[name], size) })
		}
	}
}

func overLoopback(b *testing.B, read func(net.Conn, func()), size int) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	n, all := 0, make(chan struct{})
	go func() {
		c, err := ln.Accept()
		if err != nil {
			return
		}
		read(c, func() {
			if n++; n == b.N {
				close(all)
			}
		})
	}()
	c := dial(b, ln.Addr().String())
	frame := masked(size)
	b.ReportAllocs()
	b.SetBytes(int64(size))
	b.ResetTimer()
	flood(b, c, frame, b.N)
	<-all
	b.StopTimer()
	c.Close()
}

func fromMemory(b *testing.B, read func(net.Conn, func()), size int) {
	frame := masked(size)
	many := []byte(strings.Repeat(string(frame), max(1, 64<<10/len(frame))))
	c := &tape{head: []byte(handshake), frames: many, left: b.N * len(frame)}
	n := 0
	b.ReportAllocs()
	b.SetBytes(int64(size))
	b.ResetTimer()
	read(c, func() { n++ })
	if n != b.N {
		b.Fatalf("%d messages, want %d", n, b.N)
	}
}

func readOurs(c net.Conn, got func()) {
	defer c.Close()
	_, in := upgrade(c)
	early, _ := in.Peek(in.Buffered())
	r := ws.NewReader(c, early, 1<<20)
	defer r.Release()
	for {
		if _, _, err := r.Next(); err != nil {
			return
		}
		got()
	}
}

func readGobwas(c net.Conn, got func()) {
	defer c.Close()
	_, in := upgrade(c)
	var payload []byte
	for {
		h, err := gobwas.ReadHeader(in)
		if err != nil {
			return
		}
		if int64(cap(payload)) < h.Length {
			payload = make([]byte, h.Length)
		}
		payload = payload[:h.Length]
		if _, err := io.ReadFull(in, payload); err != nil {
			return
		}
		gobwas.Cipher(payload, h.Mask, 0)
		got()
	}
}

// upgrade answers the handshake for those who leave it to others.
func upgrade(c net.Conn) (*http.Request, *bufio.Reader) {
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return nil, in
	}
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	return r, in
}

func readFasthttp(c net.Conn, got func()) {
	ended := make(chan struct{})
	upgrader := websocket.FastHTTPUpgrader{}
	_ = fasthttp.ServeConn(c, func(ctx *fasthttp.RequestCtx) {
		_ = upgrader.Upgrade(ctx, func(c *websocket.Conn) {
			defer close(ended)
			for {
				if _, _, err := c.ReadMessage(); err != nil {
					return
				}
				got()
			}
		})
	})
	<-ended
}

type events struct {
	gws.BuiltinEventHandler
	got func()
}

// OnMessage counts.
func (e *events) OnMessage(_ *gws.Conn, m *gws.Message) {
	e.got()
	m.Close()
}

func readGWS(c net.Conn, got func()) {
	in := bufio.NewReader(c)
	r, err := http.ReadRequest(in)
	if err != nil {
		return
	}
	conn, err := gws.NewUpgrader(&events{got: got}, &gws.ServerOption{}).UpgradeFromConn(c, in, r)
	if err != nil {
		return
	}
	conn.ReadLoop()
}
