package middleware

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// logBuffer is where a handler of slog may write while a test reads.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type unprintable struct{}

func (unprintable) Error() string { panic("even this") }

func TestRecover(t *testing.T) {
	values := map[string]any{
		"string": "boom", "error": errors.New("boom"), "struct": struct{ A int }{1}, "nil": nil, "unprintable": unprintable{},
	}
	for name, v := range values {
		t.Run(name, func(t *testing.T) {
			var log logBuffer
			s := newSite(t, Recover(RecoverConfig{Logger: slog.New(slog.NewTextHandler(&log, nil))})(func(ctx *fasthttp.RequestCtx) {
				if string(ctx.Path()) == "/fine" {
					ctx.SetBodyString("fine")
					return
				}
				ctx.Response.Header.Set("X-Half", "done")
				ctx.SetBodyString("half an answer")
				panic(v)
			}))
			resp := s.do("GET", "/path?token=secret")
			if resp.StatusCode() != 500 || string(resp.Body()) != "Internal Server Error" || header(resp, "X-Half") != "" {
				t.Errorf("%d %q %q", resp.StatusCode(), resp.Body(), header(resp, "X-Half"))
			}
			if got := log.String(); name == "string" && (!strings.Contains(got, "panic=boom") || !strings.Contains(got, "method=GET") ||
				!strings.Contains(got, "path=/path") || !strings.Contains(got, "recover_test.go") || strings.Contains(got, "secret")) {
				t.Errorf("logged %q", got)
			}
			if resp := s.do("GET", "/fine"); string(resp.Body()) != "fine" {
				t.Errorf("after a panic: %q", resp.Body())
			}
		})
	}
}

func TestRecoverRespond(t *testing.T) {
	quiet := slog.New(slog.DiscardHandler)
	s := newSite(t, Recover(RecoverConfig{Logger: quiet, Respond: func(ctx *fasthttp.RequestCtx, v any) {
		if v == "worse" {
			ctx.Response.Header.Set("X-Half", "done")
			panic("again")
		}
		ctx.SetStatusCode(503)
		fmt.Fprintf(ctx, "sorry: %v", v)
	}})(func(ctx *fasthttp.RequestCtx) { panic(string(ctx.Path()[1:])) }))
	if resp := s.do("GET", "/boom"); resp.StatusCode() != 503 || string(resp.Body()) != "sorry: boom" {
		t.Errorf("%d %q", resp.StatusCode(), resp.Body())
	}
	if resp := s.do("GET", "/worse"); resp.StatusCode() != 500 || header(resp, "X-Half") != "" {
		t.Errorf("Respond panicked: %d", resp.StatusCode())
	}
}

func TestRecoverDefaultLogger(t *testing.T) {
	var log logBuffer
	before := slog.Default()
	defer slog.SetDefault(before)
	h := Recover(RecoverConfig{})(func(*fasthttp.RequestCtx) { panic("to the default") })
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	newSite(t, h).do("GET", "/")
	if !strings.Contains(log.String(), "to the default") {
		t.Errorf("logged %q", log.String())
	}
}

func TestRecoverLeavesHijacked(t *testing.T) {
	var log logBuffer
	ln := fasthttputil.NewInmemoryListener()
	logger := slog.New(slog.NewTextHandler(&log, nil))
	srv := &fasthttp.Server{Logger: quiet{}, Handler: Recover(RecoverConfig{Logger: logger})(func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(101)
		ctx.Hijack(func(c net.Conn) { _, _ = io.WriteString(c, "hijacked") })
		panic("after the hijack")
	})}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	c, err := ln.Dial()
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
	got, _ := io.ReadAll(bufio.NewReader(c))
	if !strings.HasPrefix(string(got), "HTTP/1.1 101") || !strings.HasSuffix(string(got), "\r\n\r\nhijacked") {
		t.Errorf("%q", got)
	}
	if !strings.Contains(log.String(), "after the hijack") {
		t.Errorf("logged %q", log.String())
	}
	_ = ln.Close()
	<-served
}
