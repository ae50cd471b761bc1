// Package wshandshake is the server side of the WebSocket handshake (RFC 6455 section 4, RFC 7692 section 7) on fasthttp's
// types, and what is to be known of the connections that fasthttp gives away. Frames are package ws.
package wshandshake

import (
	"crypto/sha1"
	"encoding/base64"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// HandshakeError is a request that cannot be upgraded, with the status it should be answered with.
type HandshakeError struct {
	Status int    // 400, 405 or 426
	Reason string // what was wrong, in a few words
}

// Error is the reason.
func (e *HandshakeError) Error() string { return "ws: " + e.Reason }

var (
	nameUpgrade    = []byte("Upgrade")
	tokenWebSocket = []byte("websocket")
)

// CheckUpgrade reports what keeps a request from becoming a WebSocket, as a *HandshakeError, nil for nothing. Writing
// the status and a body is up to the caller; the headers that a 405 or 426 owes its reader are set on the response.
func CheckUpgrade(ctx *fasthttp.RequestCtx) error {
	req := &ctx.Request.Header
	if !req.IsGet() {
		ctx.Response.Header.Set("Allow", "GET")
		return &HandshakeError{fasthttp.StatusMethodNotAllowed, "method is not GET"}
	}
	if !req.IsHTTP11() {
		return upgradeRequired(ctx, "HTTP version is not 1.1")
	}
	if req.ConnectionClose() { // fasthttp would answer, close and never call the hijack handler
		return &HandshakeError{fasthttp.StatusBadRequest, "Connection: close"}
	}
	switch { // of two versions or keys the value is a list, which is neither
	case !httpheader.HasToken(httpheader.Value(req, httpheader.Connection), "upgrade"):
		return upgradeRequired(ctx, "Connection has no token upgrade")
	case !httpheader.HasToken(httpheader.Value(req, httpheader.Upgrade), "websocket"):
		return upgradeRequired(ctx, "Upgrade has no token websocket")
	case string(httpheader.Value(req, httpheader.SecWebSocketVersion)) != "13":
		return upgradeRequired(ctx, "Sec-WebSocket-Version is not 13")
	case !validKey(httpheader.Value(req, httpheader.SecWebSocketKey)):
		return &HandshakeError{fasthttp.StatusBadRequest, "Sec-WebSocket-Key is not 16 bytes in base64"}
	}
	return nil
}

// Accept makes the response the 101 that answers a request CheckUpgrade has passed; the caller then hijacks. The
// extensions are an answer of NegotiateDeflate, or empty for none. Of the subprotocols on offer the first is
// confirmed, as a browser drops the connection when it asked for some and gets none.
func Accept(ctx *fasthttp.RequestCtx, extensions string) {
	key := httpheader.Value(&ctx.Request.Header, httpheader.SecWebSocketKey)
	protocol := httpheader.FirstToken(httpheader.Value(&ctx.Request.Header, httpheader.SecWebSocketProtocol))
	ctx.SetStatusCode(fasthttp.StatusSwitchingProtocols)
	h := &ctx.Response.Header
	h.SetBytesV("Upgrade", tokenWebSocket)
	h.SetBytesV("Connection", nameUpgrade)
	h.Set("Sec-WebSocket-Accept", acceptKey(key))
	if protocol != nil {
		h.SetBytesV("Sec-WebSocket-Protocol", protocol)
	}
	if extensions != "" {
		h.Set("Sec-WebSocket-Extensions", extensions)
	}
}

// KeepOpen takes back the Connection: close that fasthttp adds to the last response of a connection.
func KeepOpen(r *fasthttp.Response) { r.Header.SetBytesV("Connection", nameUpgrade) }

func upgradeRequired(ctx *fasthttp.RequestCtx, reason string) error {
	h := &ctx.Response.Header
	h.SetBytesV("Upgrade", tokenWebSocket)
	h.SetBytesV("Connection", nameUpgrade)
	h.Set("Sec-WebSocket-Version", "13")
	return &HandshakeError{fasthttp.StatusUpgradeRequired, reason}
}

// validKey leaves the last character its loose bits: some clients draw all 22 at random, and the key counts as text.
func validKey(key []byte) bool {
	var b [18]byte
	if len(key) != 24 {
		return false
	}
	n, err := base64.StdEncoding.Decode(b[:], key)
	return err == nil && n == 16
}

func acceptKey(key []byte) string {
	sum := sha1.Sum(append(key[:len(key):len(key)], "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...))
	return base64.StdEncoding.EncodeToString(sum[:])
}
