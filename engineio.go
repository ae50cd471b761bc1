// Package engineio is an Engine.IO server for fasthttp and Fiber v2.
//
// Engine.IO is the transport under Socket.IO: a client connects by HTTP long-polling, upgrades to
// WebSocket when the proxies in between let it, and exchanges text and binary messages in order.
// The package speaks revision 4 and revision 3 of the protocol
// (https://github.com/socketio/socket.io/tree/main/docs/engine.io-protocol).
//
//	srv := engineio.New(engineio.Config{
//		OnMessage: func(s *engineio.Session, m engineio.Message) { s.SendText("got it") },
//	})
//	fasthttp.ListenAndServe(":3000", srv.Handler(nil))
//
// A Fiber app mounts the same Server with package github.com/fasteio/engineio/fiber.
//
// # Ownership of bytes
//
// What goes in is copied: every send returns with its argument free for reuse. What comes out is
// borrowed: Message.Data is valid until OnMessage returns, and the *fasthttp.RequestCtx given to
// OnHandshake until OnHandshake returns.
//
// # Goroutines
//
// A session costs the goroutine that fasthttp runs for its connection and no other. Callbacks of
// one session never overlap, but for OnHeaders and, with Config.MaxConcurrentMessages, OnMessage,
// OnUpgrade and the water marks;
// callbacks of different sessions run in parallel. All methods of Server and Session may be called from
// any goroutine, callbacks included, but for Shutdown, which waits for them.
package engineio

import (
	"fmt"

	"github.com/fasteio/engineio/codec"
)

// Revision is a revision of the Engine.IO protocol, the value of the query parameter EIO.
type Revision = codec.Revision

// The revisions there are. Clients of Socket.IO 3 and later speak 4, older ones 3.
const (
	V3 = codec.V3
	V4 = codec.V4
)

// Message is a text or a sequence of bytes.
type Message struct {
	// Data, when received, is valid until OnMessage returns and may be changed until then; copy
	// what is kept.
	Data []byte
	// Binary is true for a binary message, and false for a text, which is valid UTF-8.
	Binary bool
}

// packet is the packet that carries m, with the same bytes.
func (m Message) packet() codec.Packet {
	return codec.Packet{Type: codec.Message, Binary: m.Binary, Data: m.Data}
}

// Transport is the way the bytes of a session travel.
type Transport uint8

// The transports.
const (
	Polling Transport = iota + 1
	WebSocket
)

// String is the transport's name in the protocol.
func (t Transport) String() string {
	switch t {
	case Polling:
		return "polling"
	case WebSocket:
		return "websocket"
	}
	return fmt.Sprintf("Transport(%d)", uint8(t))
}
