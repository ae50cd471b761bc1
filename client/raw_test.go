package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/client"
	"github.com/fasteio/engineio/internal/compress"
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

func TestPostsAreCutByMaxPayload(t *testing.T) {
	r := &raw{}
	r.post = func(ctx *fasthttp.RequestCtx) { time.Sleep(time.Millisecond) } // so that messages gather
	c := dial(t, r.start(t), nil)
	ctx := background(t)
	var want []string
	for i := range 500 {
		text := fmt.Sprintf("%d €%s", i, strings.Repeat("x", i%50))
		want = append(want, "4"+text)
		must(t, c.SendText(ctx, text))
		if i%7 == 0 {
			must(t, c.SendBinary(ctx, []byte{1, 2, 3, 4}))
			want = append(want, "bAQIDBA==")
		}
	}
	must(t, c.Close())
	var bodies []string
	full := 0
	for _, request := range r.log() {
		body, ok := strings.CutPrefix(request, "POST ")
		if !ok {
			continue
		}
		if len(body) > 1000 {
			t.Errorf("a POST of %d bytes", len(body))
		}
		if len(body) > 900 {
			full++
		}
		bodies = append(bodies, body)
	}
	if got := strings.Join(bodies, "\x1e"); got != strings.Join(want, "\x1e")+"\x1e1" {
		t.Errorf("the POSTs are not what was sent: %.300q", got)
	}
	if full == 0 {
		t.Error("no POST is nearly full")
	}
}

// python-engineio loses what is beyond 16 packets, and answers OK; ok is the reference's word.
func TestPostsAreOfFewPacketsUntilOk(t *testing.T) {
	const n = 200
	for name, test := range map[string]struct {
		open, answer string
		most, posts  int
	}{
		"OK":                {openPacket, "OK", 16, (n + 14) / 15},
		"OK, no maxPayload": {`0{"sid":"a/b&c","upgrades":[]}`, "OK", 16, (n + 14) / 15},
		"ok":                {openPacket, "ok", n, 2},
		"ok, no maxPayload": {`0{"sid":"a/b&c","upgrades":[]}`, "ok", n, 2},
	} {
		t.Run(name, func(t *testing.T) {
			queued := make(chan struct{})
			r := &raw{open: test.open, post: func(ctx *fasthttp.RequestCtx) {
				<-queued
				ctx.SetBodyString(test.answer)
			}}
			c := dial(t, r.start(t), nil)
			for range n {
				must(t, c.SendText(background(t), "x"))
			}
			close(queued)
			must(t, c.Close())
			got, posts := 0, 0
			for _, request := range r.log() {
				if body, ok := strings.CutPrefix(request, "POST "); ok {
					packets := strings.Count(body, "\x1e") + 1
					got += packets
					posts++
					if packets > test.most {
						t.Errorf("a POST of %d packets", packets)
					}
				}
			}
			// The first POST may have left with less than it could have, and goodbye may come alone.
			if got != n+1 || posts > test.posts+2 {
				t.Errorf("%d packets in %d POSTs, want %d in %d", got, posts, n+1, test.posts)
			}
		})
	}
}

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

func TestRequestsDoNotOverlap(t *testing.T) {
	var gets, posts sync.Mutex
	alone := func(m *sync.Mutex) func() {
		if !m.TryLock() {
			t.Error("overlap")
			m.Lock()
		}
		return m.Unlock
	}
	r := &raw{}
	r.get = func(ctx *fasthttp.RequestCtx) {
		defer alone(&gets)()
		ctx.SetBodyString("4tick")
	}
	r.post = func(ctx *fasthttp.RequestCtx) { alone(&posts)() }
	c := dial(t, r.start(t), nil)
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			for range 50 {
				must(t, c.SendText(background(t), "x"))
				read(t, c)
			}
		})
	}
	wait.Wait()
	c.CloseNow()
}

func TestLiveRequestsRefused(t *testing.T) {
	for name, r := range map[string]*raw{
		"GET":  {get: func(ctx *fasthttp.RequestCtx) { ctx.Error(`{"code":1,"message":"Session ID unknown"}`, 400) }},
		"POST": {post: func(ctx *fasthttp.RequestCtx) { ctx.Error(`{"code":1,"message":"Session ID unknown"}`, 400) }},
	} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, r.start(t), nil)
			_ = c.SendText(background(t), "x")
			why := ended(t, c)
			var refused *client.ResponseError
			if why.Reason != client.ReasonTransportError || !errors.As(why, &refused) || refused.Code != 1 {
				t.Errorf("ended with %v", why)
			}
		})
	}
	t.Run("413", func(t *testing.T) {
		r := &raw{post: func(ctx *fasthttp.RequestCtx) { ctx.Error("", 413) }}
		c := dial(t, r.start(t), nil)
		_ = c.SendText(background(t), "x")
		wantReason(t, c, client.ReasonTooBig)
	})
}

func TestBadPayloads(t *testing.T) {
	for _, body := range []string{"", "9", "4a\x1e", "b!", "4\xff"} {
		r := &raw{get: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString(body) }}
		c := dial(t, r.start(t), nil)
		wantReason(t, c, client.ReasonParseError)
	}
}

func TestCompressedResponses(t *testing.T) {
	text := strings.Repeat("compress me ", 1000)
	compressor, err := compress.New(compress.Options{})
	must(t, err)
	for _, e := range []compress.Encoding{compress.Identity, compress.Gzip, compress.Deflate, compress.Brotli, compress.Zstd} {
		t.Run("coding "+e.String(), func(t *testing.T) {
			answer := func(ctx *fasthttp.RequestCtx, body string) {
				if !strings.Contains(string(ctx.Request.Header.Peek("Accept-Encoding")), e.String()) {
					ctx.Error("not accepted", 400)
					return
				}
				ctx.Response.Header.Set("Content-Encoding", e.String())
				ctx.SetBody(compressor.Append(nil, []byte(body), e))
			}
			r := &raw{handshake: func(ctx *fasthttp.RequestCtx) { answer(ctx, openPacket) }}
			var n int
			r.get = func(ctx *fasthttp.RequestCtx) {
				if n++; n == 1 {
					answer(ctx, "4"+text)
				} else {
					answer(ctx, "4"+strings.Repeat(text, 100)) // a bomb
				}
			}
			c := dial(t, r.start(t), &client.Options{ReadLimit: 100_000})
			wantText(t, c, text)
			wantReason(t, c, client.ReasonTooBig)
		})
	}
	t.Run("unknown", func(t *testing.T) {
		r := &raw{get: func(ctx *fasthttp.RequestCtx) {
			ctx.Response.Header.Set("Content-Encoding", "rot13")
			ctx.SetBodyString("4x")
		}}
		wantReason(t, dial(t, r.start(t), nil), client.ReasonTransportError)
	})
	t.Run("not wanted", func(t *testing.T) {
		r := &raw{handshake: func(ctx *fasthttp.RequestCtx) {
			if len(ctx.Request.Header.Peek("Accept-Encoding")) > 0 {
				ctx.Error("", 500)
			}
		}}
		dial(t, r.start(t), &client.Options{DisableCompression: true})
	})
}

func TestOversizedResponses(t *testing.T) {
	big := bytes.Repeat([]byte("4"), 100_001)
	for name, get := range map[string]func(ctx *fasthttp.RequestCtx){
		"with a length": func(ctx *fasthttp.RequestCtx) { ctx.SetBody(big) },
		"in chunks":     func(ctx *fasthttp.RequestCtx) { ctx.SetBodyStream(bytes.NewReader(big), -1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := &raw{get: get}
			wantReason(t, dial(t, r.start(t), &client.Options{ReadLimit: 100_000}), client.ReasonTooBig)
		})
	}
	t.Run("handshake", func(t *testing.T) {
		r := &raw{handshake: func(ctx *fasthttp.RequestCtx) { ctx.SetBody(big) }}
		if _, err := client.Dial(background(t), r.start(t), &client.Options{ReadLimit: 100_000}); err == nil {
			t.Error("no error")
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
