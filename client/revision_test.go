package client_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	gorilla "github.com/fasthttp/websocket"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// By long-polling the first answer tells which revision a server speaks, whatever it was asked for.
func TestOtherRevisionByPolling(t *testing.T) {
	const open = `0{"sid":"abc","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`
	for name, test := range map[string]struct {
		ours       client.Revision
		kind, body string
	}{
		"Socket.IO 2":         {client.V4, "text/plain; charset=UTF-8", fmt.Sprintf("%d:%s", len(open), open)},
		"with a message":      {client.V4, "text/plain; charset=UTF-8", fmt.Sprintf("%d:%s2:40", len(open), open)},
		"Socket.IO 1, binary": {client.V4, "application/octet-stream", "\x00" + string([]byte{6, 9}) + "\xff" + open},
		"revision 4":          {client.V3, "text/plain; charset=UTF-8", open},
		"revision 4, more":    {client.V3, "text/plain; charset=UTF-8", open + "\x1e4hello"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &raw{handshake: func(ctx *fasthttp.RequestCtx) {
				ctx.SetContentType(test.kind)
				ctx.SetBodyString(test.body)
			}}
			_, err := client.Dial(background(t), r.start(t), &client.Options{Revision: test.ours})
			want := fmt.Sprintf("revision %d, Options.Revision is %d", 7-test.ours, test.ours)
			if !errors.Is(err, client.ErrRevision) || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

// A server that knows of both says so itself.
func TestRefusedRevision(t *testing.T) {
	only3, _, _ := serve(t, engineio.Config{Revisions: []engineio.Revision{engineio.V3}})
	for _, transport := range both {
		_, err := client.Dial(background(t), only3, &client.Options{Transports: []client.Transport{transport}})
		if !errors.Is(err, client.ErrRevision) || !strings.Contains(err.Error(), "Options.Revision") {
			t.Errorf("by %v: %v", transport, err)
		}
	}
}

// socket is a server at the other end of net.Pipe whose sessions open by WebSocket and then are f's.
func socket(open string, f func(ws *gorilla.Conn)) (dial func() net.Conn, tasks *sync.WaitGroup) {
	tasks = new(sync.WaitGroup)
	return func() net.Conn {
		ours, theirs := net.Pipe()
		tasks.Go(func() {
			defer theirs.Close()
			request, err := http.ReadRequest(bufio.NewReader(theirs))
			if err != nil {
				return
			}
			_, _ = io.WriteString(theirs, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
				"Sec-WebSocket-Accept: "+acceptKey(request.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
			ws, err := serverSide(theirs)
			if err != nil {
				return
			}
			_ = ws.WriteMessage(gorilla.TextMessage, []byte(open))
			f(ws)
		})
		return ours
	}, tasks
}

// By WebSocket the handshakes look the same. What follows tells, and the end names the revision.
func TestOtherRevisionByWebSocket(t *testing.T) {
	const old = `0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000}`
	say := func(ws *gorilla.Conn, packet string) { _ = ws.WriteMessage(gorilla.TextMessage, []byte(packet)) }
	for name, test := range map[string]struct {
		ours   client.Revision
		open   string
		server func(ws *gorilla.Conn)
		warned time.Duration // -1 for never
		ended  time.Duration
		reason client.Reason
		err    string // what the end says of the revision
	}{
		"a server of Socket.IO 2": {client.V4, old, func(ws *gorilla.Conn) { say(ws, "40"); drain(ws) },
			0, 45 * time.Second, client.ReasonPingTimeout, "no ping came"},
		"a server of revision 3": {client.V4, old, func(ws *gorilla.Conn) { say(ws, "4hello"); drain(ws) },
			30 * time.Second, 45 * time.Second, client.ReasonPingTimeout, "no ping came"},
		"that gives us up": {client.V4, old, func(ws *gorilla.Conn) {
			time.Sleep(40 * time.Second)
			_ = ws.WriteMessage(gorilla.CloseMessage, nil)
		}, 30 * time.Second, 40 * time.Second, client.ReasonServerClose, "no ping came"},
		"that ends early": {client.V4, old, func(ws *gorilla.Conn) { time.Sleep(20 * time.Second) },
			-1, 20 * time.Second, client.ReasonTransportClose, ""},
		"a server of revision 4 that is silent": {client.V4, openSilent, func(ws *gorilla.Conn) { say(ws, "40"); drain(ws) },
			-1, 45 * time.Second, client.ReasonPingTimeout, ""},
		"an old server of revision 4": {client.V4, old, func(ws *gorilla.Conn) { time.Sleep(25 * time.Second); say(ws, "2"); drain(ws) },
			-1, 70 * time.Second, client.ReasonPingTimeout, ""},
		"revision 4 for a client of 3": {client.V3, openSilent, func(ws *gorilla.Conn) { time.Sleep(24 * time.Second); say(ws, "2"); drain(ws) },
			24 * time.Second, 69 * time.Second, client.ReasonPingTimeout, "speaks revision 4"},
		"a silent server for a client of 3": {client.V3, openSilent, func(ws *gorilla.Conn) { drain(ws) },
			-1, 45 * time.Second, client.ReasonPingTimeout, ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dialPipe, tasks := socket(test.open, test.server)
				start := time.Now()
				var warned atomic.Int64
				warned.Store(-1)
				log := slog.New(slog.NewTextHandler(writes(func(line []byte) {
					if bytes.Contains(line, []byte("revision")) && bytes.Contains(line, []byte("level=WARN")) {
						if !warned.CompareAndSwap(-1, int64(time.Since(start))) {
							t.Error("warned twice")
						}
					}
				}), nil))
				o := &client.Options{Revision: test.ours, Transports: websocket, Logger: log, Proxy: direct}
				o.DialContext = func(context.Context, string, string) (net.Conn, error) { return dialPipe(), nil }
				c, err := client.Dial(t.Context(), "http://127.0.0.1/", o)
				must(t, err)
				<-c.Context().Done()
				why := ended(t, c)
				if took := time.Since(start); took != test.ended || why.Reason != test.reason {
					t.Errorf("ended after %v with %v", took, why)
				}
				if strings.Contains(why.Error(), "revision") != (test.err != "") || !strings.Contains(why.Error(), test.err) {
					t.Errorf("ended with %v", why)
				}
				if got := time.Duration(warned.Load()); got != test.warned {
					t.Errorf("warned after %v, want %v", got, test.warned)
				}
				tasks.Wait()
			})
		})
	}
}

// writes is an io.Writer of a function.
type writes func([]byte)

func (f writes) Write(b []byte) (int, error) {
	f(b)
	return len(b), nil
}
