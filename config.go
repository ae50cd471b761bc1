package engineio

import (
	"log/slog"
	"net/netip"
	"time"

	"github.com/valyala/fasthttp"
)

// Config is what a Server is made of. The zero value serves both transports and revisions to
// clients of the same host. New copies it; changes after that have no effect. Times are from 1 ms to 24 days, the
// most that a browser's timer holds.
type Config struct {
	// Path is where Handler and the Fiber middleware serve the engine, in Fiber below the prefix
	// of the group or Use. Slashes at its ends are optional, here and in requests. No query, no escapes.
	// Default: "/engine.io/".
	Path string

	// PingInterval is the time between two heartbeats of an idle session.
	// Default: 25 s. The first comes up to a fifth earlier, so that many clients which connected
	// together do not stay in step.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a heartbeat, from when it has left.
	// Default: 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout is how long a WebSocket may take from its handshake to the end of the
	// probe. After it the WebSocket is closed; the session stays on long-polling. Default: 10 s.
	UpgradeTimeout time.Duration

	// WriteTimeout is how long a client may accept nothing of what is written to it before its
	// session ends with ReasonStalled. A long-polling response above 16 KiB has that for each
	// 64 KiB; a WriteTimeout of the HTTP server, which writes it, takes its place. Over TLS, and
	// not on Linux, only what makes a third of the socket's send buffer free is seen to be accepted.
	// Default: 10 s.
	WriteTimeout time.Duration

	// BodyTimeout is how long the body of a POST may take to arrive, in a server with
	// StreamRequestBody. A later one is answered 408, and the session goes on. What is read before
	// the engine is asked, in other servers all of it and in these 8 KiB, is bounded by the
	// server's ReadTimeout: see Tune. Default: 20 s.
	BodyTimeout time.Duration

	// CloseTimeout bounds the two waits of a graceful end: until what is queued has left, and
	// until a WebSocket peer has answered the close frame. Default: 5 s.
	CloseTimeout time.Duration

	// MaxPayload is the most that a client may send at once, in bytes, 1 GiB at most: the body of a POST, or a
	// WebSocket message. It is announced to clients, which cut their POSTs by it. A larger POST
	// is answered 413 and the session goes on; a larger WebSocket message ends the session with
	// ReasonTooBig. Default: 1,000,000.
	//
	// The HTTP server has its own bound, 4 MB by default (fasthttp.Server.MaxRequestBodySize,
	// fiber.Config.BodyLimit), which must not be below this one.
	MaxPayload int

	// MaxPackets is the most packets in the body of one POST. The one after them ends the session
	// with ReasonTooBig. Default: 100,000.
	MaxPackets int

	// MaxMessageRate is how many messages a second of one session are received, and MaxByteRate how
	// many bytes of them. A second's worth may come at once; a session that sends more is not
	// read until it is within them again. Nothing is lost, and the wait does not count against
	// its heartbeat while its client is there, which Linux tells; other systems notice that it has
	// gone when what it sent has been read. On long-polling the POST is answered when its messages
	// are through: a client that sends more at once than its own time for a request allows gives
	// up. An upgrade is not held up for a minute's worth, its WebSocket is. Default: 0, no bound but
	// the pace at which OnMessage returns.
	MaxMessageRate, MaxByteRate int

	// MaxQueuedBytes is the most that waits in a session's send queue, in bytes on the wire. Overflow
	// says what becomes of a message above it; one always fits into an empty queue. What a
	// WebSocket is writing waits no longer. Default: 1 MiB.
	MaxQueuedBytes int

	// MaxQueuedBytesTotal is how much all send queues together may hold before each is full as soon as it
	// has 4 KiB or one message, in bytes of memory; what a PreparedMessage shares does not count. What is
	// being written counts, as do long-polling responses above 16 KiB until the HTTP server has
	// written them. The sessions whose clients are slow pay for it. Default: 1 GiB.
	MaxQueuedBytesTotal int

	// Overflow is what becomes of a message for a session whose queue is full.
	// Default: OverflowReject.
	Overflow Overflow

	// HighWaterBytes and LowWaterBytes are the sizes of a session's queue at which OnHighWater and OnLowWater
	// run, in bytes on the wire, MaxQueuedBytes at most. Default: MaxQueuedBytes/2 and HighWaterBytes/4.
	HighWaterBytes, LowWaterBytes int

	// MaxSessions is the most sessions that are open at once; a handshake above it is answered
	// 503 with Retry-After. One that has ended counts while a long-polling response above 16 KiB
	// of it is being written, CloseTimeout at most. Default: 100,000.
	MaxSessions int

	// MaxSessionsPerIP is the most sessions of one address (Session.RemoteAddr; of IPv6 the first
	// 64 bits) that are open at once; a handshake above it is answered 429 with Retry-After.
	// Default: MaxSessions, so no bound of its own: behind a proxy that is not in TrustedProxies
	// all clients have one address. Clients without an IP address count as one. MaxSessions at most.
	MaxSessionsPerIP int

	// MaxHandshakeRate is how many handshakes a second are let in, a second's worth of them at once.
	// Those above it are answered 503 with Retry-After. Default: 10,000.
	MaxHandshakeRate int

	// MaxHandshakeRatePerIP is the same for one address, with 429; MaxHandshakeRate at most. Default:
	// MaxHandshakeRate, so no bound of its own.
	MaxHandshakeRatePerIP int

	// Transports are the transports on offer. Default: Polling and WebSocket.
	Transports []Transport

	// DisableUpgrades keeps a session on the transport it was opened with.
	DisableUpgrades bool

	// Revisions are the protocol revisions on offer. Default: V4 and V3.
	Revisions []Revision

	// AllowedOrigins are the origins whose pages may connect besides those of the request's own
	// host, on long-polling and WebSocket alike: "https://example.com", "https://*.example.com"
	// (any depth, not example.com itself), "http://localhost:*" (any port), "file://", "app://." or "*".
	// "null" is every page that wants it, by a sandboxed frame, and cannot go with AllowCredentials. Others are answered 403; allowed ones get the
	// CORS headers, on errors too, and preflights are answered 204. A request without an Origin
	// header does not come from another site's page and is let through; JSONP, whose script tags
	// send none, is judged by Sec-Fetch-Site and Referer, and refused without either. Default: none.
	AllowedOrigins []string

	// AllowOrigin decides about origins that AllowedOrigins does not list, so it cannot go with "*". It sees the
	// header as it was sent, "null" included. Default: none.
	AllowOrigin func(origin string) bool

	// AllowCredentials lets pages of allowed origins send cookies, which engine.io-client 3 does
	// unasked. It cannot go with "*": every page of the web would act as your user. Who wants even that
	// must say so, by an AllowOrigin that returns true. Default: false.
	AllowCredentials bool

	// TrustedProxies are the addresses ("10.1.2.3") and networks ("10.0.0.0/8") whose
	// X-Forwarded-For, -Host and -Proto count: for Session.RemoteAddr, for the comparison of
	// origin and host, and for the cookie's Secure. "unix" is whoever connects by a Unix socket;
	// "0.0.0.0/0" and "::/0" together are everybody. Default: none, the headers are ignored.
	TrustedProxies []string

	// Cookie, when set, gives clients a cookie with the session id, for load balancers that
	// keep a client on one server by it. Default: nil, no cookie.
	Cookie *Cookie

	// DisableCompression keeps long-polling responses as they are. Otherwise those from
	// CompressionThreshold on are compressed with gzip, deflate, br or zstd, as the client's
	// Accept-Encoding says. Default: false.
	DisableCompression bool

	// CompressionThreshold is the size from which compression is tried, in bytes: of a
	// long-polling response, and of a WebSocket message under PerMessageDeflate. Default: 1,024.
	CompressionThreshold int

	// CompressionLevels are the effort per coding. Default: see CompressionLevels.
	CompressionLevels CompressionLevels

	// PerMessageDeflate offers the WebSocket extension of that name (RFC 7692), without context
	// takeover, to clients that ask. Default: false.
	PerMessageDeflate bool

	// DisableJSONP refuses JSONP polling, which clients of revision 3 use in browsers that lack
	// CORS. Default: false.
	DisableJSONP bool

	// InitialMessage, when set, is sent to every client right behind the open packet.
	// Default: nil, none.
	InitialMessage *Message

	// GenerateID makes session ids of its own, such as one with a node's name in front for a
	// load balancer to find. An id has 1 to 128 characters of A-Z a-z 0-9 - _ . ~ and must not be
	// guessable; an error, any other id, or one that is in use, refuses the session with 400,
	// code 3. Default: 20 characters with 120 random bits.
	GenerateID func(ctx *fasthttp.RequestCtx) (string, error)

	// JSON encodes for SendJSON. Default: encoding/json.Marshal.
	MarshalJSON func(v any) ([]byte, error)

	// MaxConcurrentMessages is how many OnMessage of one session may run at once, each in a
	// goroutine of its own, with Message.Data copied and in no order. Default: 1, on the
	// goroutine that reads, and in order. 65,536 at most.
	MaxConcurrentMessages int

	// Logger is told of panics in callbacks (Error), of what is likely a mistake, with the remedy in the message
	// (Warn, once a minute of each kind: refused origins, limits reached, callbacks that block, open files used up), and
	// of refused requests and of sessions that open, upgrade and close (Debug). Default: slog.Default().
	Logger *slog.Logger

	// OnHandshake accepts or refuses a session. It is the one place where a request meets a
	// session: read headers, cookies, query and user values here, and keep copies of what is
	// needed with a Key. ctx is not valid after the return, and neither are the strings that
	// Fiber's Locals got from a request: strings.Clone them. A *RequestError chooses the answer, and so does a
	// *fiber.Error where the engine is mounted in Fiber; any other error is answered 403. s cannot send yet (ErrNotOpen).
	OnHandshake func(s *Session, ctx *fasthttp.RequestCtx) error

	// OnConnect runs once the session is open. On long-polling it runs before the response to
	// the handshake, which carries what it sends.
	OnConnect func(s *Session)

	// OnMessage runs for every message, in order, one at a time for a session unless
	// MaxConcurrentMessages says otherwise. While it runs the session reads nothing, so a slow one
	// slows its client and nobody else; that its client is not heard meanwhile is no ping timeout, and
	// one of revision 4 is pinged on, so that it does not give up either.
	OnMessage func(s *Session, m Message)

	// OnUpgrade runs when a session has moved from long-polling to WebSocket, of which nothing is
	// read before it returns. With MaxConcurrentMessages it may run beside OnMessage.
	OnUpgrade func(s *Session)

	// OnHighWater runs when more than HighWaterBytes waits in a session's queue, and OnLowWater when it
	// has gone down to LowWaterBytes after that: in turn with the other callbacks, so while OnMessage
	// runs they wait, unless MaxConcurrentMessages allows several. A crossing that was undone before it
	// was told is not told.
	OnHighWater, OnLowWater func(s *Session)

	// OnHeaders may add headers to a response of a session that has not ended: to every 200 of
	// long-polling and to the 101. initial is true for the first, which opens the session. It runs on
	// the request's goroutine and may overlap other callbacks.
	OnHeaders func(s *Session, ctx *fasthttp.RequestCtx, initial bool)

	// OnRequestRefused is told of every request that is refused, before the answer is written: e
	// has status, code and message, and e.Err what was wrong. remote is as in Session.RemoteAddr.
	OnRequestRefused func(ctx *fasthttp.RequestCtx, remote netip.AddrPort, e *RequestError)

	// OnDisconnect runs exactly once for every session that OnConnect was due for, after every
	// other callback of the session but an OnHeaders under way, and never on the stack of a method
	// that ended it. why is never nil and may be kept; its Err may be nil.
	OnDisconnect func(s *Session, why *CloseError)
}

// CompressionLevels are the effort per coding, from 1 (fast) up. Zero is the default of each, the
// best ratio for its time on Engine.IO payloads.
type CompressionLevels struct {
	Gzip    int // 1 to 9. Default: 5
	Deflate int // 1 to 9. Default: 5
	Brotli  int // 1 to 6. Default: 2
	Zstd    int // 1 to 3. Default: 1
}
