package client_test

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
	"github.com/fasteio/engineio/internal/enginetest"
)

// patience is how long anything may take before a test fails.
const patience = 30 * time.Second

var (
	polling   = []client.Transport{client.Polling}
	websocket = []client.Transport{client.WebSocket}
	both      = []client.Transport{client.Polling, client.WebSocket}
)

type mode struct {
	name       string
	transports []client.Transport
	revision   client.Revision
	final      client.Transport
}

// inEachMode runs f for each transport, the upgrade and both revisions.
func inEachMode(t *testing.T, f func(t *testing.T, m mode)) {
	for _, revision := range []client.Revision{client.V4, client.V3} {
		for _, m := range []mode{
			{"polling", polling, revision, client.Polling},
			{"websocket", websocket, revision, client.WebSocket},
			{"upgrade", both, revision, client.WebSocket},
		} {
			m.name += map[client.Revision]string{client.V3: "/3", client.V4: "/4"}[revision]
			t.Run(m.name, func(t *testing.T) { f(t, m) })
		}
	}
}

func (m mode) options() *client.Options {
	return &client.Options{Transports: m.transports, Revision: m.revision}
}

// listener keeps its connections, to break them all.
type listener struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.mu.Lock()
		l.conns = append(l.conns, c)
		l.mu.Unlock()
	}
	return c, err
}

// kill closes the listener and every connection.
func (l *listener) kill() {
	_ = l.Close()
	l.hangUp()
}

func (l *listener) hangUp() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}

func listen(t testing.TB) *listener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return &listener{Listener: ln}
}

// serveHTTP serves handler on loopback until the test ends.
func serveHTTP(t testing.TB, handler fasthttp.RequestHandler) *listener {
	t.Helper()
	l := listen(t)
	serveOn(t, l, l, handler)
	return l
}

func serveOn(t testing.TB, l *listener, ln net.Listener, handler fasthttp.RequestHandler) {
	s := &fasthttp.Server{Handler: handler, Logger: silent{}, MaxIdleWorkerDuration: 100 * time.Millisecond}
	if enginetest.Tuned() {
		engineio.Tune(s)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(ln)
	}()
	t.Cleanup(func() {
		l.kill()
		_ = s.Shutdown()
		<-served
	})
}

type silent struct{}

func (silent) Printf(string, ...any) {}

var quiet = slog.New(slog.DiscardHandler)

// serve runs an engine until the test ends.
func serve(t testing.TB, c engineio.Config) (url string, l *listener, srv *engineio.Server) {
	t.Helper()
	c.Logger = quiet
	srv = engineio.New(c)
	l = serveHTTP(t, srv.Handler(nil))
	shutdownAtEnd(t, srv)
	return "http://" + l.Addr().String(), l, srv
}

func shutdownAtEnd(t testing.TB, srv *engineio.Server) {
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
	})
}

func serveTLS(t testing.TB, c engineio.Config, certificate tls.Certificate) (url string) {
	t.Helper()
	c.Logger = quiet
	srv := engineio.New(c)
	l := listen(t)
	serveOn(t, l, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}}), srv.Handler(nil))
	shutdownAtEnd(t, srv)
	return "https://" + l.Addr().String()
}

var echo = engineio.Config{OnMessage: func(s *engineio.Session, m engineio.Message) {
	for {
		var err error
		if m.Binary {
			err = s.SendBinary(m.Data)
		} else {
			err = s.SendText(string(m.Data))
		}
		if !errors.Is(err, engineio.ErrQueueFull) {
			return
		}
		_ = s.Flush(s.Context())
	}
}}

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// dial opens a client that is closed when the test ends.
func dial(t testing.TB, url string, o *client.Options) *client.Client {
	t.Helper()
	if o == nil {
		o = &client.Options{}
	}
	if o.Logger == nil {
		o.Logger = quiet
	}
	c, err := client.Dial(background(t), url, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseNow)
	return c
}

// upgraded waits until c travels as it is going to.
func upgraded(t testing.TB, c *client.Client, want client.Transport) {
	t.Helper()
	got, err := c.AwaitUpgrade(background(t))
	if err != nil || got != want {
		t.Fatalf("transport %v, %v, want %v", got, err, want)
	}
}

func read(t testing.TB, c *client.Client) client.Message {
	t.Helper()
	m, err := c.Read(background(t))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func wantText(t testing.TB, c *client.Client, want string) {
	t.Helper()
	if m := read(t, c); m.Binary || string(m.Data) != want {
		t.Fatalf("read %.80q (binary %t), want %.80q", m.Data, m.Binary, want)
	}
}

// direct is no proxy.
var direct = http.ProxyURL(nil)

// by is the proxy at rawURL.
func by(rawURL string) func(*http.Request) (*url.URL, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		panic(err)
	}
	return http.ProxyURL(u)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end and returns its reason.
func ended(t testing.TB, c *client.Client) *client.CloseError {
	t.Helper()
	select {
	case <-c.Context().Done():
	case <-time.After(patience):
		t.Fatal("the client does not end")
	}
	var why *client.CloseError
	if !errors.As(context.Cause(c.Context()), &why) {
		t.Fatalf("cause %v is no CloseError", context.Cause(c.Context()))
	}
	return why
}

func wantReason(t testing.TB, c *client.Client, want ...client.Reason) {
	t.Helper()
	why := ended(t, c)
	for _, r := range want {
		if why.Reason == r {
			return
		}
	}
	t.Fatalf("ended with %v, want %v", why, want)
}
