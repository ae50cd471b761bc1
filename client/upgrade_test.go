package client_test

import (
	"fmt"
	"net"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

func TestFailedUpgradeLeavesPolling(t *testing.T) {
	for name, answer := range map[string]fasthttp.RequestHandler{
		"refused": func(ctx *fasthttp.RequestCtx) { ctx.Error("no", 400) },
		"hung up": hangUp,
		"ended after the handshake": func(ctx *fasthttp.RequestCtx) {
			key := string(ctx.Request.Header.Peek("Sec-WebSocket-Key"))
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(c net.Conn) {
				_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptKey(key))
				_ = c.Close()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := engineio.New(engineio.Config{OnMessage: echo.OnMessage, Logger: quiet})
			shutdownAtEnd(t, srv)
			l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
				if len(ctx.Request.Header.Peek("Upgrade")) > 0 {
					answer(ctx)
					return
				}
				srv.ServeFastHTTP(ctx)
			})
			c := dial(t, "http://"+l.Addr().String(), nil)
			upgraded(t, c, client.Polling)
			for i := range 20 {
				must(t, c.SendText(background(t), fmt.Sprint(i)))
				wantText(t, c, fmt.Sprint(i))
			}
			must(t, c.Close())
		})
	}
}
