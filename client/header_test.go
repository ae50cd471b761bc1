package client_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// The two transports agree on names that are not spelled as net/http does, and nobody else gets to see a line of ours.
func TestHeaderNames(t *testing.T) {
	for _, transport := range both {
		for _, h := range []http.Header{
			{"connection": {"close"}}, {"sec-websocket-key": {"x"}}, {"CONTENT-LENGTH": {"0"}},
			{"": {"x"}}, {"a b": {"x"}}, {"X-A\r\nX-B": {"x"}}, {"X-A": {"x\r\nX-B: y"}},
		} {
			o := client.Options{Transports: []client.Transport{transport}, Header: h}
			if _, err := client.Dial(background(t), "http://127.0.0.1:1", &o); err == nil || !strings.Contains(err.Error(), "header field") {
				t.Errorf("%q by %v: %v", h, transport, err)
			}
			o.Header, o.HeaderFunc = nil, func(_ context.Context, own http.Header) error {
				for name, values := range h {
					own[name] = values
				}
				return nil
			}
			if _, err := client.Dial(background(t), "http://127.0.0.1:1", &o); err == nil || !strings.Contains(err.Error(), "header field") {
				t.Errorf("%q of HeaderFunc by %v: %v", h, transport, err)
			}
		}
		var got []string
		l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			for _, name := range []string{"Authorization", "User-Agent", "Cookie"} {
				for _, v := range ctx.Request.Header.PeekAll(name) {
					got = append(got, string(v))
				}
			}
			ctx.Error("", 400)
		})
		_, err := client.Dial(background(t), "http://u:p@"+l.Addr().String(), &client.Options{Transports: []client.Transport{transport},
			Header: http.Header{"authorization": {"Bearer x"}, "user-agent": {"mine"}, "cookie": {"a=1"}}})
		if err == nil || strings.Join(got, "|") != "Bearer x|mine|a=1" {
			t.Errorf("by %v came %q, %v", transport, got, err)
		}
	}
}

// What the application wants requests to carry is in each of them, the WebSocket's too.
func TestRequests(t *testing.T) {
	var calls, requests atomic.Int32
	stamps := make(map[string]bool)
	srv := engineio.New(engineio.Config{Path: "/my/path/", OnMessage: echo.OnMessage, Logger: quiet})
	shutdownAtEnd(t, srv)
	l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
		n := requests.Add(1)
		upgrade := len(ctx.Request.Header.Peek("Upgrade")) > 0
		checks := map[string][2]string{
			"header":   {string(ctx.Request.Header.Peek("X-Own")), "value"},
			"func":     {string(ctx.Request.Header.Peek("X-Func")), "set"},
			"auth":     {string(ctx.Request.Header.Peek("Authorization")), "Basic dTpw"},
			"host":     {string(ctx.Host()), "virtual.test"},
			"query":    {string(ctx.QueryArgs().Peek("kept")), "a b&c"},
			"option":   {string(ctx.QueryArgs().Peek("opt")), "1"},
			"EIO":      {string(ctx.QueryArgs().Peek("EIO")), "4"},
			"stamp":    {fmt.Sprint(len(ctx.QueryArgs().Peek("stamp")) > 0), fmt.Sprint(!upgrade)},
			"cookie":   {string(ctx.Request.Header.Cookie("sticky")), map[bool]string{true: "", false: "node1"}[n == 1]},
			"own":      {string(ctx.Request.Header.Cookie("mine")), "too"},
			"old path": {string(ctx.Request.Header.Cookie("elsewhere")), ""},
		}
		for what, pair := range checks {
			if pair[0] != pair[1] {
				t.Errorf("%s of %s: %q, want %q", what, ctx.RequestURI(), pair[0], pair[1])
			}
		}
		if stamp := string(ctx.QueryArgs().Peek("stamp")); !upgrade {
			if stamps[stamp] {
				t.Errorf("timestamp %q comes twice", stamp)
			}
		}
		srv.ServeFastHTTP(ctx)
		if n == 1 {
			ctx.Response.Header.Add("Set-Cookie", "sticky=node1; Path=/; HttpOnly")
			ctx.Response.Header.Add("Set-Cookie", "elsewhere=x; Path=/other")
		}
	})
	c := dial(t, "ws://u:p@"+l.Addr().String()+"/ignored?kept=a%20b%26c&EIO=7&sid=x&transport=y", &client.Options{
		Path:   "/my/path",
		Query:  url.Values{"opt": {"1"}},
		Header: http.Header{"X-Own": {"value"}, "Host": {"virtual.test"}, "Cookie": {"mine=too"}},
		HeaderFunc: func(_ context.Context, h http.Header) error {
			calls.Add(1)
			h.Set("X-Func", "set")
			return nil
		},
		TimestampParam: "stamp",
	})
	upgraded(t, c, client.WebSocket)
	must(t, c.SendText(background(t), "x"))
	wantText(t, c, "x")
	must(t, c.Close())
	if calls.Load() != requests.Load() || calls.Load() < 3 {
		t.Errorf("HeaderFunc ran %d times for %d requests", calls.Load(), requests.Load())
	}
	refuse := errors.New("no token")
	_, err := client.Dial(background(t), "http://"+l.Addr().String(), &client.Options{
		HeaderFunc: func(context.Context, http.Header) error { return refuse }})
	if !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
}

// What the application says in its header reaches the server as it is, by any transport. fasthttp has its own idea of cookies.
func TestHeaderIsSentAsItIs(t *testing.T) {
	const cookie, accept = `prefs={"a":1}; b="2"; c=3`, "application/x-mine"
	for _, transport := range both {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		got := make(chan http.Header, 1)
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				got <- r.Header
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		}()
		_, err = client.Dial(background(t), "http://"+ln.Addr().String(), &client.Options{
			Transports: []client.Transport{transport}, Header: http.Header{"Cookie": {cookie}, "Accept": {accept}},
		})
		if err == nil {
			t.Fatal("let in")
		}
		if h := <-got; h.Get("Cookie") != cookie || h.Get("Accept") != accept {
			t.Errorf("by %v came %q", transport, h)
		}
		must(t, ln.Close())
	}
}
