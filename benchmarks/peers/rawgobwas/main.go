// Command rawgobwas imitates the wire format of Engine.IO on github.com/gobwas/ws: a canned open
// packet, then an echo. It is the ceiling for a server on that library.
package main

import (
	"bufio"
	"flag"
	"io"
	"net"

	"github.com/gobwas/ws"

	"github.com/fasteio/engineio/benchmarks/internal/peer"
)

var (
	addr  = peer.Addr()
	batch = flag.Bool("batch", false, "collect frames until the reader has nothing more buffered")
)

func main() {
	flag.Parse()
	peer.Serve(*addr, func(ln net.Listener) error {
		for {
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			go serve(c)
		}
	})
}

func serve(c net.Conn) {
	defer c.Close()
	if _, err := ws.Upgrade(c); err != nil {
		return
	}
	open := ws.NewTextFrame([]byte(peer.Open("00000000000000000000", false)))
	if err := ws.WriteFrame(c, open); err != nil {
		return
	}
	e := echo{in: bufio.NewReader(c), c: c}
	for e.one() == nil {
		continue
	}
}

// echo is one connection. Both buffers are used again for every message.
type echo struct {
	in      *bufio.Reader
	c       net.Conn
	payload []byte
	out     writer
}

// one reads a frame and answers it.
func (e *echo) one() error {
	h, err := ws.ReadHeader(e.in)
	if err != nil {
		return err
	}
	if int64(cap(e.payload)) < h.Length {
		e.payload = make([]byte, h.Length)
	}
	e.payload = e.payload[:h.Length]
	if _, err := io.ReadFull(e.in, e.payload); err != nil {
		return err
	}
	ws.Cipher(e.payload, h.Mask, 0)
	switch {
	case h.OpCode == ws.OpClose:
		_ = ws.WriteFrame(&e.out, ws.NewCloseFrame(e.payload))
		_, _ = e.c.Write(e.out)
		return io.EOF
	case len(e.payload) > 0 && e.payload[0] != '4':
		return nil // a pong
	}
	if err := ws.WriteHeader(&e.out, ws.Header{Fin: true, OpCode: h.OpCode, Length: h.Length}); err != nil {
		return err
	}
	e.out = append(e.out, e.payload...)
	if *batch && e.in.Buffered() > 0 && len(e.out) < 64<<10 {
		return nil
	}
	_, err = e.c.Write(e.out)
	e.out = e.out[:0]
	return err
}

// writer is a slice that can be written to.
type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
