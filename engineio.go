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
// one session never overlap; callbacks of different sessions run in parallel. All methods of
// Server and Session may be called from any goroutine, callbacks included.
package engineio

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/codec"
)

// Revision is a revision of the Engine.IO protocol, the value of the query parameter EIO.
type Revision = codec.Revision

// The revisions there are. Clients of Socket.IO 3 and later speak 4, older ones 3.
const (
	V3 = codec.V3
	V4 = codec.V4
)

// Message is what a client sent.
type Message struct {
	// Data is valid until OnMessage returns and may be changed until then; copy what is kept.
	Data []byte
	// Binary tells a binary message from a text, which is valid UTF-8.
	Binary bool
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
	return fmt.Sprintf("transport %d", uint8(t))
}

// Overflow says what Broadcast does with a session whose queue is full.
type Overflow uint8

const (
	// OverflowClose ends the session with ReasonSlowClient. A client that has missed a message
	// knows it, and can connect again.
	OverflowClose Overflow = iota
	// OverflowDrop leaves the message out for this session.
	OverflowDrop
)

// Config is what a Server is made of. The zero value serves both transports and revisions to
// clients of the same host. New copies it; changes after that have no effect.
type Config struct {
	// Path is where Handler and the Fiber middleware serve the engine. It starts with a slash; a
	// final slash is optional here and in requests. Default: "/engine.io/".
	Path string

	// PingInterval is the time between two heartbeats of an idle session, at least 1 ms.
	// Default: 25 s. The first comes up to a fifth earlier, so that many clients which connected
	// together do not stay in step.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a heartbeat, at least 1 ms.
	// Default: 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout is how long a WebSocket may take from its handshake to the end of the
	// probe. After it the WebSocket is closed; the session stays on long-polling. Default: 10 s.
	UpgradeTimeout time.Duration

	// WriteTimeout is how long a WebSocket client may accept nothing of what is written to it
	// before its session ends with ReasonTransportError. Default: 10 s. Long-polling responses
	// are written by the HTTP server, under its own WriteTimeout.
	WriteTimeout time.Duration

	// CloseTimeout bounds the two waits of a graceful end: until what is queued has left, and
	// until a WebSocket peer has answered the close frame. Default: 5 s.
	CloseTimeout time.Duration

	// MaxPayload is the most that a client may send at once, in bytes: the body of a POST, or a
	// WebSocket message. It is announced to clients, which cut their POSTs by it. A larger POST
	// is answered 413 and the session goes on; a larger WebSocket message ends the session with
	// ReasonTooBig. Default: 1,000,000.
	//
	// The HTTP server has its own bound, 4 MB by default (fasthttp.Server.MaxRequestBodySize,
	// fiber.Config.BodyLimit), which must not be below this one.
	MaxPayload int

	// MaxQueued is the most that waits in a session's send queue, in bytes on the wire. A send
	// above it fails with ErrQueueFull; one message always fits into an empty queue.
	// Default: 1 MiB.
	MaxQueued int

	// MaxSessions is the most sessions that are open at once; a handshake above it is answered
	// 503 with Retry-After. Default: 100,000.
	MaxSessions int

	// Transports are the transports on offer. Default: Polling and WebSocket.
	Transports []Transport

	// DisableUpgrades keeps a session on the transport it was opened with.
	DisableUpgrades bool

	// Revisions are the protocol revisions on offer. Default: V4 and V3.
	Revisions []Revision

	// AllowedOrigins are the origins whose pages may connect, on long-polling and WebSocket
	// alike: "https://example.com", "https://*.example.com" or "*". A request without an Origin
	// header does not come from a page and is let through. Default: the host of the request.
	AllowedOrigins []string

	// Overflow is what Broadcast does with a session whose queue is full.
	// Default: OverflowClose.
	Overflow Overflow

	// Logger is told of panics in callbacks (Error) and of refused requests and broken sessions
	// (Debug). Default: slog.Default().
	Logger *slog.Logger

	// OnHandshake accepts or refuses a session. It is the one place where a request meets a
	// session: read headers, cookies, query and user values here, and keep what is needed with a
	// Key; ctx is not valid after the return. A *RequestError chooses the answer, any other
	// error is answered 403. s cannot send yet.
	OnHandshake func(s *Session, ctx *fasthttp.RequestCtx) error

	// OnConnect runs once the session is open. On long-polling it runs before the response to
	// the handshake, which carries what it sends.
	OnConnect func(s *Session)

	// OnMessage runs for every message, in order, one at a time for a session. While it runs the
	// session reads nothing, so a slow one slows its client and nobody else.
	OnMessage func(s *Session, m Message)

	// OnUpgrade runs when a session has moved from long-polling to WebSocket.
	OnUpgrade func(s *Session)

	// OnDisconnect runs exactly once for every session that OnConnect was due for, after every
	// other callback of the session, and never on the stack of a method that ended it. err is
	// what lay behind the reason, and may be nil.
	OnDisconnect func(s *Session, r Reason, err error)
}

// maxHeartbeat is what setTimeout takes; it fires at once for more.
const maxHeartbeat = (1<<31 - 1) * time.Millisecond

const (
	defaultMaxPayload  = 1_000_000
	defaultMaxQueued   = 1 << 20
	defaultMaxSessions = 100_000
)

// withDefaults fills in what was left out. It panics on values that make no sense.
func (c Config) withDefaults() Config {
	c.Path = "/" + strings.Trim(cmp.Or(c.Path, "/engine.io/"), "/") + "/"
	if c.Path == "//" {
		c.Path = "/"
	}
	for _, d := range []struct {
		name  string
		value *time.Duration
		def   time.Duration
	}{
		{"PingInterval", &c.PingInterval, 25 * time.Second},
		{"PingTimeout", &c.PingTimeout, 20 * time.Second},
		{"UpgradeTimeout", &c.UpgradeTimeout, 10 * time.Second},
		{"WriteTimeout", &c.WriteTimeout, 10 * time.Second},
		{"CloseTimeout", &c.CloseTimeout, 5 * time.Second},
	} {
		*d.value = cmp.Or(*d.value, d.def)
		if *d.value < time.Millisecond {
			panic(fmt.Sprintf("engineio: Config.%s is %v, must be at least 1ms", d.name, *d.value))
		}
	}
	if c.PingInterval > maxHeartbeat-c.PingTimeout {
		panic("engineio: Config.PingInterval and PingTimeout together are more than the timers of browsers hold, 24 days")
	}
	for _, n := range []struct {
		name  string
		value *int
		def   int
	}{
		{"MaxPayload", &c.MaxPayload, defaultMaxPayload},
		{"MaxQueued", &c.MaxQueued, defaultMaxQueued},
		{"MaxSessions", &c.MaxSessions, defaultMaxSessions},
	} {
		*n.value = cmp.Or(*n.value, n.def)
		if *n.value < 1 {
			panic(fmt.Sprintf("engineio: Config.%s is %d, must be positive", n.name, *n.value))
		}
	}
	return c.withDefaultLists()
}

func (c Config) withDefaultLists() Config {
	c.Transports = slices.Clone(c.Transports)
	if len(c.Transports) == 0 {
		c.Transports = []Transport{Polling, WebSocket}
	}
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket {
			panic(fmt.Sprintf("engineio: Config.Transports has an unknown %v", t))
		}
	}
	c.Revisions = slices.Clone(c.Revisions)
	if len(c.Revisions) == 0 {
		c.Revisions = []Revision{V4, V3}
	}
	for _, r := range c.Revisions {
		if r != V3 && r != V4 {
			panic(fmt.Sprintf("engineio: Config.Revisions has %d, must be 3 or 4", r))
		}
	}
	if c.Overflow > OverflowDrop {
		panic(fmt.Sprintf("engineio: Config.Overflow is %d", c.Overflow))
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c
}
