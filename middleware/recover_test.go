package middleware

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

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

// What a middleware that answers has not read of a streamed body must not be the next request.
func TestUnreadStreamIsNotARequest(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(dir+"/a.txt", []byte("file"), 0o600); err != nil {
		t.Fatal(err)
	}
	boom := func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
		return Recover(RecoverConfig{Logger: slog.New(slog.DiscardHandler)})(func(ctx *fasthttp.RequestCtx) {
			if next(ctx); string(ctx.Path()) != "/smuggled" {
				panic("boom")
			}
		})
	}
	for name, c := range map[string]struct {
		wrap func(fasthttp.RequestHandler) fasthttp.RequestHandler
		head string
	}{
		"a preflight": {CORS(CORSConfig{AllowedOrigins: []string{"https://example.com"}}),
			"OPTIONS / HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: PUT\r\n"},
		"a file":  {Static(StaticFiles{"/static": {Name: dir}}), "GET /static/a.txt HTTP/1.1\r\nHost: a\r\n"},
		"a panic": {boom, "POST / HTTP/1.1\r\nHost: a\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			smuggled := false
			srv := &fasthttp.Server{StreamRequestBody: true, Logger: quiet{}, Handler: c.wrap(func(ctx *fasthttp.RequestCtx) {
				smuggled = smuggled || string(ctx.Path()) == "/smuggled"
			})}
			const inner = "POST /smuggled HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
			in := fmt.Sprintf("%sContent-Length: %d\r\n\r\n%s%s", c.head, 8<<10+len(inner), strings.Repeat("x", 8<<10), inner)
			conn := &script{Reader: strings.NewReader(in)}
			_ = srv.ServeConn(conn)
			if smuggled || !strings.Contains(conn.out.String(), "Connection: close") {
				t.Errorf("a request out of the body: %v; answered %q", smuggled, conn.out.String())
			}
		})
	}
}

// A script is a connection with all that a client says.
type script struct {
	net.Conn
	io.Reader
	out bytes.Buffer
}

func (c *script) Read(b []byte) (int, error)     { return c.Reader.Read(b) }
func (c *script) Write(b []byte) (int, error)    { return c.out.Write(b) }
func (*script) Close() error                     { return nil }
func (*script) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (*script) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }
