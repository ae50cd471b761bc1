package enginetest

import (
	"crypto/tls"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Options are what a server may differ in. The zero value is fasthttp's.
type Options struct {
	// TLS makes clients and server speak it.
	TLS bool

	// Wrap is what the listener makes of each connection, beneath TLS. Default: nothing.
	Wrap func(net.Conn) net.Conn

	// The others are fields of fasthttp.Server.
	ReduceMemoryUsage, StreamRequestBody, DisableHeaderNamesNormalizing bool
	// So are these.
	KeepHijackedConns, DisableKeepalive bool
	// These too; MaxRequestBodySize is Fiber's BodyLimit.
	MaxConnsPerIP, MaxRequestBodySize, MaxRequestsPerConn int
	// And these.
	ReadTimeout, WriteTimeout, IdleTimeout time.Duration

	// Configure sets what is left of the server's fields, at last.
	Configure func(*fasthttp.Server)
	// Listen opens the listener. Default: TCP on loopback.
	Listen func(testing.TB) net.Listener
	// LowerCase makes clients write the names of headers in lower case, as HAProxy and Envoy do.
	LowerCase bool
}

// Server is an HTTP server on loopback. One that has just an Addr is somebody else's, for clients.
type Server struct {
	Addr     string       // host:port, also of a server on another network than TCP
	Shutdown func() error // the HTTP server's own

	dial      func() (net.Conn, error) // nil: TCP to Addr
	lowerCase bool
	ln        net.Listener
	served    chan struct{} // closed when the server has returned
	conns     func() int32  // open on the server's side, hijacked ones left out
	once      sync.Once

	mu     sync.Mutex
	dialed []net.Conn
}

// Tuned tells whether servers are to be set as engineio.Tune does: WebSockets then run in goroutines of the engine's,
// on connections that it closes. The environment asks for it, and all tests run both ways.
func Tuned() bool { return os.Getenv("ENGINEIO_TUNED") != "" }

// Start serves handler with fasthttp until the test ends.
func Start(t testing.TB, handler fasthttp.RequestHandler, o Options) *Server {
	t.Helper()
	server := &fasthttp.Server{Handler: handler, MaxRequestBodySize: o.MaxRequestBodySize}
	o.apply(server)
	return serve(t, o, server, server.Serve, server.Shutdown)
}

// StartFiber serves an app, which mount fills with routes, until the test ends.
func StartFiber(t testing.TB, mount func(*fiber.App), o Options) *Server {
	t.Helper()
	return StartApp(t, fiber.New(fiber.Config{
		DisableStartupMessage: true,
		BodyLimit:             o.MaxRequestBodySize,
		StreamRequestBody:     o.StreamRequestBody,
	}), mount, o)
}

// StartApp is StartFiber for an app with a configuration of its own.
func StartApp(t testing.TB, app *fiber.App, mount func(*fiber.App), o Options) *Server {
	t.Helper()
	mount(app)
	return Serve(t, o, app.Server(), app.Listener, app.Shutdown)
}

// Serve is Start for a server that something else has made, as a web framework does: accept runs it on a listener,
// and shutdown ends it.
func Serve(t testing.TB, o Options, server *fasthttp.Server, accept func(net.Listener) error, shutdown func() error) *Server {
	t.Helper()
	o.apply(server)
	return serve(t, o, server, accept, shutdown)
}

// At is a server elsewhere, or several, for clients only: dial opens a connection to it. host is what stands in the
// header of that name.
func At(host string, dial func() (net.Conn, error)) *Server {
	return &Server{Addr: host, Shutdown: func() error { return nil }, dial: dial}
}

func (o Options) apply(s *fasthttp.Server) {
	s.KeepHijackedConns = o.KeepHijackedConns || Tuned()
	s.ReduceMemoryUsage = o.ReduceMemoryUsage || Tuned()
	s.StreamRequestBody = o.StreamRequestBody
	s.DisablePreParseMultipartForm = o.StreamRequestBody // as engineio.Tune has it
	s.DisableHeaderNamesNormalizing = o.DisableHeaderNamesNormalizing
	s.MaxConnsPerIP = o.MaxConnsPerIP
	s.MaxRequestsPerConn = o.MaxRequestsPerConn
	s.DisableKeepalive = o.DisableKeepalive
	s.ReadTimeout = o.ReadTimeout
	if s.WriteTimeout = o.WriteTimeout; o.TLS && o.WriteTimeout > 0 {
		// Of responses only: fasthttp's own would bound the TLS handshake too, and end it on a busy machine.
		s.WriteTimeout = 0
		s.HeaderReceived = func(*fasthttp.RequestHeader) fasthttp.RequestConfig {
			return fasthttp.RequestConfig{WriteTimeout: o.WriteTimeout}
		}
	}
	s.IdleTimeout = o.IdleTimeout
	s.MaxIdleWorkerDuration = 100 * time.Millisecond // its janitor sleeps that long after the end
	s.Logger = silent{}                              // clients that break the rules are what the tests are about
	if o.Configure != nil {
		o.Configure(s)
	}
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func serve(t testing.TB, o Options, server *fasthttp.Server,
	accept func(net.Listener) error, shutdown func() error,
) *Server {
	t.Helper()
	if o.Listen == nil {
		o.Listen = loopback
	}
	ln := o.Listen(t)
	addr := ln.Addr()
	s := &Server{
		Addr: addr.String(), Shutdown: shutdown, lowerCase: o.LowerCase, ln: ln,
		served: make(chan struct{}), conns: server.GetOpenConnectionsCount,
	}
	s.dial = func() (net.Conn, error) { return net.DialTimeout(addr.Network(), addr.String(), Patience) }
	if addr.Network() != "tcp" {
		s.Addr = "localhost:80"
	}
	if o.Wrap != nil {
		ln = wrapping{ln, o.Wrap}
	}
	if o.TLS {
		ln = tls.NewListener(ln, ServerTLS(t))
		s.dial = secured(s.dial)
	}
	go func() {
		defer close(s.served)
		_ = accept(ln)
	}()
	t.Cleanup(func() { s.Stop(t) })
	return s
}

func loopback(t testing.TB) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// wrapping is a listener for the PROXY protocol, for limits and the like.
type wrapping struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (w wrapping) Accept() (net.Conn, error) {
	c, err := w.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return w.wrap(c), nil
}

// Stop hangs up on behalf of all clients, shuts the server down and waits until it has returned.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	s.once.Do(func() {
		down := make(chan struct{})
		go func() {
			defer close(down)
			s.hangUp()
			_ = s.Shutdown()
			_ = s.ln.Close() // Shutdown does not know a server that has just begun
			<-s.served
		}()
		select {
		case <-down:
		case <-time.After(Patience):
			t.Error("the HTTP server does not shut down")
		}
	})
}

// hangUp closes the clients' connections and waits for the server to see it: fasthttp 1.73 has a race
// between its Shutdown and a connection that is read, with MaxConnsPerIP.
func (s *Server) hangUp() {
	s.mu.Lock()
	for _, c := range s.dialed {
		_ = bare(c).Close()
	}
	s.dialed = nil
	s.mu.Unlock()
	for deadline := time.Now().Add(Patience / 2); s.conns() > 0 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
}

// Dial opens a connection to the server, TLS and all.
func (s *Server) Dial() (net.Conn, error) {
	c, err := s.connect()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.dialed = append(s.dialed, c)
	s.mu.Unlock()
	_ = c.SetDeadline(time.Now().Add(Patience))
	return c, nil
}

func (s *Server) connect() (net.Conn, error) {
	if s.dial == nil {
		return net.DialTimeout("tcp4", s.Addr, Patience)
	}
	return s.dial()
}
