package client_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/client"
	"github.com/fasteio/engineio/internal/compress"
)

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

func TestNoReadLimit(t *testing.T) {
	url, _, _ := serve(t, echo)
	c := dial(t, url, &client.Options{Transports: websocket, ReadLimit: math.MaxInt})
	must(t, c.SendText(background(t), "hello"))
	if m, err := c.Read(background(t)); err != nil || string(m.Data) != "hello" {
		t.Errorf("got %q, %v", m.Data, err)
	}
}
