package client_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"
)

// raw is a server of revision 4 by long-polling, written by hand. Each field may be nil.
type raw struct {
	open string // the handshake; a default if empty
	// get and post answer polls and POSTs of the session; the default of get waits for the end.
	get, post, handshake func(ctx *fasthttp.RequestCtx)

	mu       sync.Mutex
	requests []string // method and body
	end      chan struct{}
}

const openPacket = `0{"sid":"a/b&c","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000}`

func (r *raw) serve(ctx *fasthttp.RequestCtx) {
	sid := string(ctx.QueryArgs().Peek("sid"))
	r.mu.Lock()
	r.requests = append(r.requests, fmt.Sprintf("%s %s", ctx.Method(), ctx.PostBody()))
	r.mu.Unlock()
	ctx.SetContentType("text/plain; charset=UTF-8")
	switch {
	case sid == "":
		ctx.SetBodyString(r.open)
		if r.handshake != nil {
			r.handshake(ctx)
		}
	case sid != "a/b&c":
		ctx.Error("wrong sid", 400)
	case ctx.IsGet() && r.get != nil:
		r.get(ctx)
	case ctx.IsGet():
		<-r.end
	default:
		ctx.SetBodyString("ok")
		if r.post != nil {
			r.post(ctx)
		}
	}
}

func (r *raw) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.requests...)
}

// count is how many requests begin with prefix.
func (r *raw) count(prefix string) (n int) {
	for _, request := range r.log() {
		if strings.HasPrefix(request, prefix) {
			n++
		}
	}
	return n
}

func (r *raw) start(t testing.TB) (url string) {
	t.Helper()
	if r.open == "" {
		r.open = openPacket
	}
	r.end = make(chan struct{})
	url = "http://" + serveHTTP(t, r.serve).Addr().String()
	t.Cleanup(func() { close(r.end) }) // before the server ends
	return url
}

// hangUp answers with nothing. A server that engineio.Tune has set leaves it to the hijack handler to close.
func hangUp(ctx *fasthttp.RequestCtx) {
	ctx.HijackSetNoResponse(true)
	ctx.Hijack(func(c net.Conn) { _ = c.Close() })
}
