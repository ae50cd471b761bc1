package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/fasteio/engineio/codec"
)

// Revision is a revision of the Engine.IO protocol, the value of the query parameter EIO.
type Revision = codec.Revision

// The revisions there are. Servers of Socket.IO 3 and later speak 4, older ones 3.
const (
	V3 = codec.V3
	V4 = codec.V4
)

// Transport is the way the bytes of a session travel.
type Transport uint8

// The transports.
const (
	Polling Transport = iota + 1
	WebSocket
)

// String is the transport's name in the protocol; empty for 0, no transport.
func (t Transport) String() string {
	switch t {
	case 0:
		return ""
	case Polling:
		return "polling"
	case WebSocket:
		return "websocket"
	}
	return fmt.Sprintf("Transport(%d)", uint8(t))
}

// Options are how a client connects. The zero value, and nil, stand for the defaults. Dial copies
// them; maps and what pointers lead to must not change afterwards. Functions may be called by several goroutines at
// once unless they say otherwise.
//
// # Redirects
//
// A handshake, on each transport, follows up to 10 redirects within RequestTimeout, never from https to http. The session
// stays where they led; the next session begins at the URL again. Location is taken as it is, whatever ExactPath says.
//
// Query (where Location has none), Header, HeaderFunc, client certificates and the user of the URL go along within the
// origin of the URL, and from http to https on the same host. For another origin, and for all that follow it, there are
// cookies alone, by the rules of Jar.
//
// Later requests are not followed: a redirect ends the session, with a *ResponseError that has the Location.
type Options struct {
	// Path replaces the path of the URL. Default: the URL's, and "/engine.io/" if it has none.
	Path string
	// ExactPath leaves the path as it is; otherwise one without a final slash gets it, which servers
	// insist on.
	ExactPath bool
	// Query is added to the query of the URL, which is kept. EIO, transport, sid, j and b64 are the client's.
	Query url.Values
	// Greeting gives the messages that each session begins with, before all others, the session of Dial included:
	// for protocols that begin with a name or a token. They are copied, and neither counted by Flush nor bounded.
	//
	// It runs before each attempt to open a session, one at a time. Dial, or the client, waits for it: it must
	// return when ctx ends. Its error fails the attempt. Default: none.
	Greeting func(ctx context.Context) ([]Message, error)
	// Header is sent with every request, the WebSocket handshake included, to the origin of the URL. Names may be
	// spelled in any case.
	Header http.Header
	// HeaderFunc may add to the header of each request, which it is given as a copy, for tokens that
	// expire. Its error fails the request.
	//
	// The request waits for it: it must return when ctx ends, and must not call Close or CloseNow.
	HeaderFunc func(ctx context.Context, header http.Header) error

	// Transports are those to use. The session opens on the first, and on Polling moves to WebSocket if that
	// is among them. Default: Polling and WebSocket.
	Transports []Transport
	// DisableUpgrades keeps a session on the transport it was opened with.
	DisableUpgrades bool
	// RememberUpgrade opens with WebSocket where the last session of this process with the same server
	// got there, and falls back to Transports if that fails.
	RememberUpgrade bool
	// TryAllTransports opens with the next of Transports when one fails, instead of giving up.
	TryAllTransports bool
	// Revision is the revision of the protocol to speak. Default: V4.
	//
	// By long-polling, Dial fails with ErrRevision when the server speaks the other one. A WebSocket opens alike in both:
	// Logger is told as soon as the server seems to speak the other one, and the error of the session's end has
	// ErrRevision in it.
	Revision Revision

	// TLSConfig is for https and wss, to the server. Default: the system's roots.
	TLSConfig *tls.Config
	// Proxy gives the proxy for a connection, as in net/http.Transport: its URL, of scheme http, https, socks5 or
	// socks5h, with user and password if need be; nil for a direct connection. An error fails the connection.
	// http.ProxyURL(u) is one proxy for all, http.ProxyURL(nil) is a direct connection.
	//
	// It is asked for each connection, with a GET request for the server's URL that has no query and no header;
	// the request's context ends with the attempt. It must not call Close or CloseNow.
	//
	// Every connection through it is a tunnel by CONNECT, to http too: an HTTP proxy has to allow it to the server's port.
	// Default, unlike net/http's: http.ProxyFromEnvironment, which goes by HTTP_PROXY, HTTPS_PROXY and NO_PROXY as they
	// were when the process first asked, and connects to localhost and loopback addresses directly.
	Proxy func(*http.Request) (*url.URL, error)
	// DialContext opens TCP connections, to the proxy if there is one. A name in addr is in ASCII (IDNA), an IPv6
	// address has its zone. Default: net.Dialer's DialContext.
	DialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	// Jar keeps cookies from request to request and session to session. Default: one of the client's own.
	Jar http.CookieJar

	// RequestTimeout bounds each step that is not a poll: the handshake, a POST, an upgrade, the time a
	// WebSocket may take to accept a message. Default: 20 s.
	RequestTimeout time.Duration
	// CloseTimeout bounds Close: until the queue has left and the server has taken note. Default: 5 s.
	CloseTimeout time.Duration
	// ReadLimit is the most a response to a poll, or a WebSocket message, may hold in bytes, as it
	// comes and decompressed. One that is larger ends the session with ReasonTooBig. Default: 16 MiB.
	ReadLimit int
	// MaxQueuedBytes is the most that waits to be sent, in bytes and 32 for each message; a send waits for
	// room. One message always fits into an empty queue. Default: 1 MiB.
	MaxQueuedBytes int
	// MaxReceivedBytes is the same for what waits to be read. Default: 1 MiB.
	MaxReceivedBytes int

	// MarshalJSON encodes for SendJSON. Default: encoding/json.Marshal.
	MarshalJSON func(v any) ([]byte, error)
	// DisableCompression asks for responses as they are. Otherwise gzip, deflate, br and zstd are accepted.
	DisableCompression bool
	// PerMessageDeflate offers compression of WebSocket messages; those sent are compressed from 1 KiB on. Default: off.
	PerMessageDeflate bool
	// TimestampParam is the query parameter that makes each long-polling request unlike any other, for
	// caches that do not obey. Default: "t".
	TimestampParam string
	// DisableTimestamps leaves it out.
	DisableTimestamps bool

	// Reconnect opens a new session when one has ended for another reason than Close, CloseNow or the
	// end of Run. Default: nil, the client ends with its session.
	Reconnect *ReconnectOptions
	// Logger gets the log: sessions that begin and end, redirects, failed upgrades and reconnections (Debug), and
	// servers that seem to speak another revision (Warn).
	// Default: slog.Default().
	Logger *slog.Logger
}

// withDefaults returns a copy with what was left out, or says what makes no sense.
func (o *Options) withDefaults() (Options, error) {
	var c Options
	if o != nil {
		c = *o
	}
	c.Transports = slices.Clone(c.Transports)
	if len(c.Transports) == 0 {
		c.Transports = []Transport{Polling, WebSocket}
	}
	for _, t := range c.Transports {
		if t != Polling && t != WebSocket {
			return c, fmt.Errorf("client: Options.Transports has an unknown %v", t)
		}
	}
	c.Revision = cmp.Or(c.Revision, V4)
	if c.Revision != V3 && c.Revision != V4 {
		return c, fmt.Errorf("client: Options.Revision is %d, must be 3 or 4", c.Revision)
	}
	c.RequestTimeout = cmp.Or(c.RequestTimeout, 20*time.Second)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, 5*time.Second)
	c.ReadLimit = cmp.Or(c.ReadLimit, 16<<20)
	c.MaxQueuedBytes = cmp.Or(c.MaxQueuedBytes, 1<<20)
	c.MaxReceivedBytes = cmp.Or(c.MaxReceivedBytes, 1<<20)
	if c.RequestTimeout < 0 || c.CloseTimeout < 0 || c.ReadLimit < 0 || c.MaxQueuedBytes < 0 || c.MaxReceivedBytes < 0 {
		return c, errors.New("client: Options has a negative bound")
	}
	c.TimestampParam = cmp.Or(c.TimestampParam, "t")
	if c.DialContext == nil {
		c.DialContext = new(net.Dialer).DialContext
	}
	if c.Proxy == nil {
		c.Proxy = http.ProxyFromEnvironment
	}
	if c.MarshalJSON == nil {
		c.MarshalJSON = json.Marshal
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Reconnect != nil {
		r, err := c.Reconnect.withDefaults()
		if err != nil {
			return c, err
		}
		c.Reconnect = &r
	}
	if c.Header == nil {
		return c, nil
	}
	var err error
	c.Header, err = canonical(c.Header)
	return c, err
}
