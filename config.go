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
	//
	// The first heartbeat comes up to a fifth earlier, so that clients which connected together do not stay in step.
	//
	// Default: 25 s.
	PingInterval time.Duration

	// PingTimeout is how long a client may take to answer a heartbeat, from when it was written.
	// Default: 20 s.
	PingTimeout time.Duration

	// UpgradeTimeout is how long a WebSocket may take from its handshake to the end of the
	// probe. After it the WebSocket is closed; the session stays on long-polling. Default: 10 s.
	UpgradeTimeout time.Duration

	// WriteTimeout is how long a client may accept nothing of what is written to it before its
	// session ends with ReasonStalled.
	//
	// A long-polling response above 16 KiB has that time for each 64 KiB. A WriteTimeout of the HTTP server, which
	// writes such a response, takes the place of this one.
	//
	// Over TLS on systems other than Linux, the client is seen to accept something only when a third of the
	// socket's send buffer has become free.
	//
	// Default: 10 s.
	WriteTimeout time.Duration

	// BodyTimeout is how long the body of a POST may take to arrive, in a server with
	// StreamRequestBody. A later one is answered 408, and the session goes on.
	//
	// What the HTTP server reads before it calls the engine is bounded by the server's ReadTimeout instead (see Tune):
	// with StreamRequestBody the first 8 KiB, without it the whole body.
	//
	// Default: 20 s.
	BodyTimeout time.Duration

	// CloseTimeout bounds the two waits of Session.Close: until the queue is written, and
	// until a WebSocket client has answered the close frame. Default: 5 s.
	CloseTimeout time.Duration

	// MaxPayload is the most that a client may send at once, in bytes: the body of a POST, or a
	// WebSocket message. It is announced to clients, which divide what they have to send into POSTs of that size.
	//
	// A larger POST is answered 413 and the session goes on; a larger WebSocket message ends the session with
	// ReasonTooBig.
	//
	// The HTTP server has its own bound, 4 MB by default (fasthttp.Server.MaxRequestBodySize,
	// fiber.Config.BodyLimit), which must not be below this one.
	//
	// Default: 1,000,000. At most 1 GiB.
	MaxPayload int

	// MaxPackets is the most packets in the body of one POST. The one after them ends the session
	// with ReasonTooBig. Default: 100,000.
	MaxPackets int

	// MaxMessageRate is how many messages a second of one session are received, and MaxByteRate how
	// many bytes of them. A second's worth may come at once; a session that sends more is not
	// read until it is within both rates again. Nothing is lost.
	//
	// The wait does not count against the heartbeat while the client is connected. Linux tells that at once; on other
	// systems a client that has gone is noticed when everything it sent has been read.
	//
	// On long-polling a POST is answered when all its messages were received. A client that sends so much in one POST
	// that this takes longer than its own request timeout gives up.
	//
	// During an upgrade waits of up to a minute are put off until the session is on WebSocket, so that the upgrade is
	// not delayed.
	//
	// Default: 0, no bound but how fast OnMessage returns.
	MaxMessageRate, MaxByteRate int

	// MaxQueuedBytes is the most that waits in a session's send queue, in bytes on the wire. Overflow
	// says what becomes of a message above it.
	//
	// One message always fits into an empty queue. What a WebSocket is writing has left the queue.
	//
	// Default: 1 MiB.
	MaxQueuedBytes int

	// MaxQueuedBytesTotal bounds all send queues of the Server together, in bytes of memory. While they hold
	// more, each queue is full as soon as it has 4 KiB or one message, so it is the sessions with slow clients
	// whose messages do not fit.
	//
	// What is being written counts, and so do long-polling responses above 16 KiB until the HTTP server has
	// written them. The bytes that sessions share of a PreparedMessage do not count.
	//
	// Default: 1 GiB.
	MaxQueuedBytesTotal int

	// Overflow is what becomes of a message for a session whose queue is full.
	// Default: OverflowReject.
	Overflow Overflow

	// HighWaterBytes and LowWaterBytes are the sizes of a session's queue at which OnHighWater and OnLowWater
	// run, in bytes on the wire, MaxQueuedBytes at most. Default: MaxQueuedBytes/2 and HighWaterBytes/4.
	HighWaterBytes, LowWaterBytes int

	// MaxSessions is the most sessions that are open at once; a handshake above it is answered
	// 503 with Retry-After.
	//
	// A session that has ended still counts while its last long-polling response is being written, if that is above
	// 16 KiB; for CloseTimeout at most.
	//
	// Default: 100,000.
	MaxSessions int

	// MaxSessionsPerIP is the most sessions of one address (Session.RemoteAddr; of IPv6 the first
	// 64 bits) that are open at once; a handshake above it is answered 429 with Retry-After.
	//
	// All clients without an IP address count as one, and so do all behind a proxy that is not in TrustedProxies.
	//
	// Default: MaxSessions, which is also the most: no bound of its own.
	MaxSessionsPerIP int

	// MaxHandshakeRate is how many handshakes a second are accepted. A second's worth may come at once;
	// those above it are answered 503 with Retry-After. Default: 10,000.
	MaxHandshakeRate int

	// MaxHandshakeRatePerIP is the same for one address, as in MaxSessionsPerIP; those above it are answered 429.
	// Default: MaxHandshakeRate, which is also the most: no bound of its own.
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
	// Pages of other origins are answered 403; allowed ones get the CORS headers, on errors too, and preflights are
	// answered 204.
	//
	// "null" is every page, since any page can send it from a sandboxed frame. It cannot go with AllowCredentials.
	//
	// A request without an Origin header does not come from another site's page and is accepted. JSONP is the
	// exception, since script tags send no Origin: it is judged by Sec-Fetch-Site and Referer, and refused without
	// either.
	//
	// Default: none.
	AllowedOrigins []string

	// AllowOrigin decides about origins that AllowedOrigins does not list, so it cannot go with "*". ctx is the
	// request, for those who serve several hosts or tenants; it is valid until AllowOrigin returns. origin is the
	// header as it was sent, "null" included. A panic is logged and refuses. Default: none.
	AllowOrigin func(ctx *fasthttp.RequestCtx, origin string) bool

	// AllowCredentials lets pages of allowed origins send cookies, which engine.io-client 3 does
	// unasked.
	//
	// It cannot go with "*": every page of the web would act as your user. If that is what you want, use
	// an AllowOrigin that returns true.
	//
	// Default: false.
	AllowCredentials bool

	// TrustedProxies are the addresses ("10.1.2.3") and networks ("10.0.0.0/8") whose
	// X-Forwarded-For, -Host and -Proto count: for Session.RemoteAddr, for the comparison of
	// origin and host, and for the cookie's Secure.
	//
	// "unix" is every peer on a Unix socket; "0.0.0.0/0" and "::/0" together are every peer there is.
	//
	// Default: none, the headers are ignored.
	TrustedProxies []string

	// Cookie, when set, gives clients a cookie with the session id, for load balancers that
	// keep a client on one server by it. Default: nil, no cookie.
	Cookie *Cookie

	// DisableCompression turns off the compression of long-polling responses. Otherwise those of
	// CompressionThreshold bytes and more are compressed with gzip, deflate, br or zstd, as the client's
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

	// InitialMessage, when set, is sent to every client right after the open packet.
	// Default: nil, none.
	InitialMessage *Message

	// GenerateID makes the session ids, for example with the name of a node in front by which a
	// load balancer finds it. An id has 1 to 128 characters of A-Z a-z 0-9 - _ . ~ and must not be
	// guessable.
	//
	// An error, any other id, or one that is in use refuses the session with 400, code 3.
	//
	// Default: 20 characters with 120 random bits.
	GenerateID func(ctx *fasthttp.RequestCtx) (string, error)

	// MarshalJSON encodes for SendJSON and PrepareJSON. Default: encoding/json.Marshal.
	MarshalJSON func(v any) ([]byte, error)

	// MaxConcurrentMessages is how many OnMessage of one session may run at once. With 1 they run on the goroutine
	// that reads, in order. With more each runs in a goroutine of its own, in no order, and gets a copy of
	// Message.Data.
	//
	// Default: 1. At most 65,536.
	MaxConcurrentMessages int

	// Logger gets one line for each of these:
	//
	//   - Error: a panic in a callback.
	//   - Warn, once a minute of each kind and with the remedy in the message: what is likely a mistake, such as a
	//     refused origin, a limit that was reached, a callback that blocks, open files used up.
	//   - Debug: a refused request, a session that opens, upgrades or closes.
	//
	// Default: slog.Default().
	Logger *slog.Logger

	// OnHandshake accepts a session by returning nil, or refuses it. It is the one callback with both the request and
	// the session: read headers, cookies, query and user values here, and keep copies of what is
	// needed with a Key.
	//
	// ctx is not valid after the return, and neither are the strings that Fiber's Locals got from a request:
	// strings.Clone them. s cannot send yet (ErrNotOpen).
	//
	// A *RequestError chooses the answer, and so does a *fiber.Error where the engine is mounted in Fiber; any other
	// error is answered 403.
	OnHandshake func(s *Session, ctx *fasthttp.RequestCtx) error

	// OnConnect runs once the session is open. On long-polling it runs before the response to
	// the handshake, which carries what it sends.
	OnConnect func(s *Session)

	// OnMessage runs for every message, in order, one at a time for a session unless
	// MaxConcurrentMessages says otherwise.
	//
	// While it runs the session reads nothing, so a slow OnMessage slows its own client and no other. That time does
	// not count as a ping timeout; a client of revision 4 still gets its pings, so that it does not give up either.
	OnMessage func(s *Session, m Message)

	// OnUpgrade runs when a session has moved from long-polling to WebSocket. Nothing is read from the WebSocket before
	// it returns. With MaxConcurrentMessages above 1 it may run at the same time as OnMessage.
	OnUpgrade func(s *Session)

	// OnHighWater runs when more than HighWaterBytes waits in a session's queue, and OnLowWater when the queue
	// has gone down to LowWaterBytes after that.
	//
	// They do not overlap other callbacks of the session, so they wait while OnMessage runs; with
	// MaxConcurrentMessages above 1 they may run at the same time as OnMessage. When the queue has passed a mark and
	// come back before the hook could run, neither hook runs.
	OnHighWater, OnLowWater func(s *Session)

	// OnHeaders may add headers to a response of a session that has not ended: to every 200 of
	// long-polling and to the 101. initial is true for the response that opens the session. It runs on
	// the request's goroutine and may overlap other callbacks.
	OnHeaders func(s *Session, ctx *fasthttp.RequestCtx, initial bool)

	// OnRequestRefused runs for every request that is refused, before the answer is written. e
	// has the answer's status, code and message, and e.Err says what was wrong. remote is as in Session.RemoteAddr.
	OnRequestRefused func(ctx *fasthttp.RequestCtx, remote netip.AddrPort, e *RequestError)

	// OnDisconnect runs exactly once for every session that OnConnect was due for, after every
	// other callback of the session but an OnHeaders under way, and never on the stack of a method
	// that ended it. why is never nil and may be kept; its Err may be nil.
	OnDisconnect func(s *Session, why *CloseError)
}
