package client_test

import (
	"errors"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/client"
)

// One GET and one POST at a time, and none of them twice.
func TestNothingIsRepeated(t *testing.T) {
	t.Run("GET", func(t *testing.T) {
		r := &raw{get: hangUp}
		c := dial(t, r.start(t), nil)
		wantReason(t, c, client.ReasonTransportClose)
		if n := r.count("GET"); n != 2 { // one is the handshake
			t.Errorf("%d GETs: %q", n, r.log())
		}
	})
	t.Run("POST", func(t *testing.T) {
		r := &raw{post: hangUp}
		c := dial(t, r.start(t), nil)
		must(t, c.SendText(background(t), "once"))
		if err := c.Flush(background(t)); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Flush: %v", err)
		}
		wantReason(t, c, client.ReasonTransportClose)
		if n := r.count("POST"); n != 1 {
			t.Errorf("%d POSTs: %q", n, r.log())
		}
	})
	t.Run("handshake", func(t *testing.T) {
		r := &raw{handshake: hangUp}
		if _, err := client.Dial(background(t), r.start(t), nil); err == nil {
			t.Error("no error")
		}
		if n := r.count(""); n != 1 {
			t.Errorf("%d requests: %q", n, r.log())
		}
	})
}

// A connection that the server closed while it was idle is not used again.
func TestStaleConnectionsAreNotUsed(t *testing.T) {
	r := &raw{}
	r.post = func(ctx *fasthttp.RequestCtx) {
		conn := ctx.Conn()
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(c net.Conn) { // promises keep-alive, and closes
			_, _ = conn.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
			_ = c.Close()
		})
	}
	c := dial(t, r.start(t), nil)
	for i := range 20 {
		must(t, c.SendText(background(t), fmt.Sprint(i)))
		must(t, c.Flush(background(t)))
		time.Sleep(5 * time.Millisecond) // let the FIN arrive: without it there is nothing to notice
	}
	if n := r.count("POST"); n != 20 {
		t.Errorf("%d POSTs", n)
	}
}
