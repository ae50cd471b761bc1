// Command rawfasthttp imitates the wire format of Engine.IO on fasthttp and fasthttp/websocket: a
// canned open packet, then an echo. It checks nothing and knows no sessions. What it costs is what
// the stack costs, and the ceiling for a server on it.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"strconv"
	"sync/atomic"

	"github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/benchmarks/internal/peer"
)

var (
	addr  = peer.Addr()
	batch = flag.Bool("batch", false, "collect frames until the reader has nothing more buffered")
)

func main() {
	flag.Parse()
	server := &fasthttp.Server{Handler: handle}
	peer.Serve(*addr, func(ln net.Listener) error {
		if *batch {
			ln = batchListener{ln}
		}
		return server.Serve(ln)
	})
}

// mailbox is where a POST leaves what the session's GET takes.
type mailbox struct{ mail chan []byte }

// mailboxes are found by number, which is what session ids are here, without a map or a lock. When
// all are taken the oldest goes; nobody opens 65,536 sessions at once.
var (
	mailboxes [1 << 16]atomic.Pointer[mailbox]
	sessions  atomic.Uint64
)

// open makes a session and returns its id.
func open() string {
	n := sessions.Add(1)
	mailboxes[n%uint64(len(mailboxes))].Store(&mailbox{make(chan []byte, 1)})
	return fmt.Sprintf("%020d", n)
}

func mailOf(sid []byte) chan []byte {
	n, _ := strconv.ParseUint(string(sid), 10, 64)
	if box := mailboxes[n%uint64(len(mailboxes))].Load(); box != nil {
		return box.mail
	}
	return make(chan []byte, 1) // nobody's
}

func handle(ctx *fasthttp.RequestCtx) {
	query := ctx.QueryArgs()
	sid := query.Peek("sid")
	switch {
	case string(query.Peek("transport")) == "websocket":
		upgrade(ctx, sid)
	case ctx.IsPost():
		body := ctx.PostBody()
		if len(body) > 0 && body[0] == '4' {
			mailOf(sid) <- append([]byte(nil), body...)
		}
		ctx.SetContentType("text/html")
		ctx.SetBodyString("ok")
	case len(sid) == 0:
		ctx.SetContentType("text/plain; charset=UTF-8")
		ctx.SetBodyString(peer.Open(open(), true))
	default:
		ctx.SetContentType("text/plain; charset=UTF-8")
		ctx.SetBody(<-mailOf(sid))
	}
}

var upgrader = websocket.FastHTTPUpgrader{CheckOrigin: func(*fasthttp.RequestCtx) bool { return true }}

func upgrade(ctx *fasthttp.RequestCtx, sid []byte) {
	var polls chan []byte
	if len(sid) > 0 {
		polls = mailOf(sid)
	}
	_ = upgrader.Upgrade(ctx, func(c *websocket.Conn) {
		defer c.Close()
		if *batch {
			collectWrites(c)
		}
		if polls == nil {
			_ = c.WriteMessage(websocket.TextMessage, []byte(peer.Open("00000000000000000000", false)))
		} else if !probed(c, polls) {
			return
		}
		echo(c)
	})
}

// probed answers the probe, releases the parked poll, and waits for the upgrade packet.
func probed(c *websocket.Conn, polls chan<- []byte) bool {
	if _, p, err := c.ReadMessage(); err != nil || string(p) != "2probe" {
		return false
	}
	polls <- []byte("6")
	if err := c.WriteMessage(websocket.TextMessage, []byte("3probe")); err != nil {
		return false
	}
	_, p, err := c.ReadMessage()
	return err == nil && string(p) == "5"
}

// echo reads into one buffer, again and again. ReadMessage makes a new one for each message, in
// steps, which is more than twice the work at 16 KiB.
func echo(c *websocket.Conn) {
	var message bytes.Buffer
	for {
		op, r, err := c.NextReader()
		if err != nil {
			return
		}
		message.Reset()
		if _, err := message.ReadFrom(r); err != nil {
			return
		}
		p := message.Bytes()
		if len(p) > 0 && p[0] != '4' {
			continue // a pong
		}
		if err := c.WriteMessage(op, p); err != nil {
			return
		}
	}
}
