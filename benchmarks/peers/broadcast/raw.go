package main

import (
	"encoding/binary"
	"net"
	"sync"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/benchmarks/internal/peer"
)

// hall is all connections there are.
type hall struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

func raw() fasthttp.RequestHandler {
	h := &hall{conns: make(map[net.Conn]struct{})}
	upgrader := websocket.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}
	return func(ctx *fasthttp.RequestCtx) {
		if ctx.IsPost() {
			each(ctx, h.write)
			return
		}
		_ = upgrader.Upgrade(ctx, h.visit)
	}
}

// visit keeps a connection in the hall until it ends. Its messages are not of interest.
func (h *hall) visit(c *websocket.Conn) {
	_ = c.WriteMessage(websocket.TextMessage, []byte(peer.Open("00000000000000000000", false)))
	h.mu.Lock()
	h.conns[c.NetConn()] = struct{}{}
	h.mu.Unlock()
	for {
		if _, _, err := c.ReadMessage(); err != nil {
			break
		}
	}
	h.mu.Lock()
	delete(h.conns, c.NetConn())
	h.mu.Unlock()
}

// write sends one frame to all, one after the other.
func (h *hall) write(message []byte) {
	frame := textFrame(append([]byte("4"), message...))
	h.mu.Lock()
	defer h.mu.Unlock()
	for c := range h.conns {
		_, _ = c.Write(frame)
	}
}

// textFrame is a server's frame.
func textFrame(payload []byte) []byte {
	frame := []byte{0x81}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, byte(n))
	case n < 1<<16:
		frame = binary.BigEndian.AppendUint16(append(frame, 126), uint16(n))
	default:
		frame = binary.BigEndian.AppendUint64(append(frame, 127), uint64(n))
	}
	return append(frame, payload...)
}
