// Package socketio is a Socket.IO server for fasthttp and Fiber, on the engine of
// github.com/fasteio/engineio. socket.io-client 3 and 4 and python-socketio 5 connect to it.
//
//	sio := socketio.New(socketio.Config{})
//	root := sio.Of("/")
//	socketio.On(root, "chat message", func(s *socketio.Socket, text string) {
//		root.Emit("chat message", text)
//	})
//	fasthttp.ListenAndServe(":3000", sio.Engine().Handler(nil))
//
// A Fiber app mounts sio.Engine() with package github.com/fasteio/engineio/fiber.
//
// # Order and goroutines
//
// What a client sends to one namespace is handled in order, one at a time: middleware, OnConnect, events,
// OnDisconnect. It runs on a goroutine that exists while there is something to handle, so a handler may block, and may
// wait for an answer of its client with Call. Different sockets, also the namespaces of one client, run
// in parallel. Acknowledgements overtake events that wait.
//
// A full queue of events (Config.MaxPending) holds up its client, and with it the acknowledgements behind them. So
// every Call to that client then fails with ErrBusy, and no handler can wait for what stands behind it.
//
// # Ownership of bytes
//
// What goes in is encoded before Emit returns. What comes out belongs to the handler.
package socketio

import (
	"cmp"
	"fmt"
	"time"

	"github.com/fasteio/engineio"
)

// Config is what a Server is made of. The zero value serves clients of the same host at /socket.io/.
type Config struct {
	// Engine is the engine below. OnConnect, OnMessage and OnDisconnect are the Server's and must be nil;
	// MaxConcurrentMessages must be 0 or 1, since packets have an order. Path: "/socket.io/" by default. Revisions: V4 alone; clients 1 and 2,
	// which speak revision 3, are answered 400, code 5. In OnHandshake keep what is needed of the
	// request with an engineio.Key, and read it from Socket.Session.
	Engine engineio.Config

	// ConnectTimeout is how long a client may be without a namespace after its handshake before its
	// session is closed. Default: 45 s.
	ConnectTimeout time.Duration

	// MaxAttachments is how many attachments a packet of a client may have. One with more ends its session.
	// Default: 10.
	MaxAttachments int

	// MaxAttachmentBytes is how many bytes the attachments of one packet may have together. One with more ends its
	// session. Default: Engine.MaxPayload.
	MaxAttachmentBytes int

	// MaxPending is how many events of one socket may wait for their handlers before its client is not read any further.
	// Default: 1,024.
	MaxPending int

	// MaxPendingBytes is the same in bytes; one event always fits. Default: 1 MiB.
	MaxPendingBytes int

	// MaxRooms is how many rooms a socket may be in, its own aside, for rooms that clients choose. Join fails
	// above it. Default: 1,000.
	MaxRooms int
}

func (c Config) withDefaults() Config {
	if c.Engine.OnConnect != nil || c.Engine.OnMessage != nil || c.Engine.OnDisconnect != nil {
		panic("socketio: Config.Engine's OnConnect, OnMessage and OnDisconnect are the Server's: use those of a Namespace")
	}
	if c.Engine.MaxConcurrentMessages > 1 {
		panic("socketio: Config.Engine.MaxConcurrentMessages must be 1: packets have an order")
	}
	if c.Engine.Path == "" {
		c.Engine.Path = "/socket.io/"
	}
	if len(c.Engine.Revisions) == 0 {
		c.Engine.Revisions = []engineio.Revision{engineio.V4}
	}
	for _, r := range c.Engine.Revisions {
		if r != engineio.V4 {
			panic("socketio: Config.Engine.Revisions must be V4: Socket.IO 1 and 2, over revision 3, is another protocol")
		}
	}
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 45*time.Second)
	if c.ConnectTimeout < time.Millisecond {
		panic(fmt.Sprintf("socketio: Config.ConnectTimeout is %v, must be 1ms or more", c.ConnectTimeout))
	}
	for _, limit := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxAttachments", &c.MaxAttachments, 10},
		{"MaxAttachmentBytes", &c.MaxAttachmentBytes, cmp.Or(c.Engine.MaxPayload, 1_000_000)},
		{"MaxPending", &c.MaxPending, 1024},
		{"MaxPendingBytes", &c.MaxPendingBytes, 1 << 20},
		{"MaxRooms", &c.MaxRooms, 1000},
	} {
		*limit.value = cmp.Or(*limit.value, limit.def)
		if *limit.value < 1 {
			panic(fmt.Sprintf("socketio: Config.%s is %d, must be 1 or more", limit.name, *limit.value))
		}
	}
	return c
}
