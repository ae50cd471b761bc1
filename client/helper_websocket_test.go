package client_test

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"strconv"
	"testing"

	gorilla "github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"
)

func itoa(n int) string { return strconv.Itoa(n) }

func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// serverSide is the server's end of a WebSocket whose handshake is over.
func serverSide(c net.Conn) (*gorilla.Conn, error) {
	u := gorilla.Upgrader{}
	request, _ := http.NewRequest(http.MethodGet, "/", nil)
	request.Header = http.Header{
		"Upgrade": {"websocket"}, "Connection": {"Upgrade"},
		"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"AAAAAAAAAAAAAAAAAAAAAA=="},
	}
	return u.Upgrade(&hijacked{c: muted{c}}, request, nil)
}

// muted swallows the response to a handshake that was answered before.
type muted struct{ net.Conn }

type hijacked struct {
	c muted
}

func (h *hijacked) Header() http.Header         { return http.Header{} }
func (h *hijacked) Write(b []byte) (int, error) { return len(b), nil }
func (h *hijacked) WriteHeader(int)             {}
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := &once{Conn: h.c.Conn}
	return c, bufio.NewReadWriter(bufio.NewReader(c), bufio.NewWriter(c)), nil
}

// once does not write the first write.
type once struct {
	net.Conn
	said bool
}

func (o *once) Write(b []byte) (int, error) {
	if !o.said {
		o.said = true
		return len(b), nil
	}
	return o.Conn.Write(b)
}

// webSocket serves sessions by WebSocket alone, each with f.
func webSocket(t testing.TB, compress bool, f func(ws *gorilla.Conn)) (url string) {
	u := gorilla.FastHTTPUpgrader{EnableCompression: compress}
	l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
		_ = u.Upgrade(ctx, func(ws *gorilla.Conn) {
			defer ws.Close() // does nothing where fasthttp closes
			_ = ws.WriteMessage(gorilla.TextMessage, []byte(openPacket))
			f(ws)
		})
	})
	return "ws://" + l.Addr().String()
}

func drain(ws *gorilla.Conn) (code int) {
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			var closed *gorilla.CloseError
			if errors.As(err, &closed) {
				return closed.Code
			}
			return 0
		}
	}
}
