package table

import (
	"net"
	"os"
	"path/filepath"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Setting is a way to set what is around an engine. The zero value is everybody's defaults.
type Setting struct {
	// Name is that of the tests.
	Name string
	// Options set the HTTP server, its listener and the clients.
	Options enginetest.Options
	// App sets the web framework.
	App App

	// Proxy is the entry of TrustedProxies for who connects. Default: "127.0.0.1".
	Proxy string
	// AbortsUnseen says that nothing tells of a client which has given up its poll: the heartbeat ends its session.
	AbortsUnseen bool
}

// App are the settings of a web framework that concern requests.
type App struct {
	// They are called as in fiber.Config.
	Immutable, StrictRouting, UnescapePath, CaseSensitive bool
}

// Settings are what all stacks are tested under.
var Settings = []Setting{
	{Name: "default"},
	{Name: "tuned", Options: enginetest.Options{Configure: engineio.Tune}},

	{Name: "lower case", Options: enginetest.Options{LowerCase: true}},
	{Name: "names as they come", Options: enginetest.Options{DisableHeaderNamesNormalizing: true}},
	{Name: "lower case as it comes", Options: enginetest.Options{LowerCase: true, DisableHeaderNamesNormalizing: true}},

	{Name: "keep-alive off", Options: set(func(s *fasthttp.Server) { s.DisableKeepalive = true })},
	{Name: "one request a connection", Options: set(func(s *fasthttp.Server) { s.MaxRequestsPerConn = 1 })},
	{Name: "few requests a connection", Options: set(func(s *fasthttp.Server) { s.MaxRequestsPerConn = 3 })},

	{Name: "streamed bodies", Options: enginetest.Options{StreamRequestBody: true}},
	{Name: "reduced memory", Options: enginetest.Options{ReduceMemoryUsage: true}},
	{Name: "reduced memory, streamed bodies", Options: enginetest.Options{ReduceMemoryUsage: true, StreamRequestBody: true}},
	{Name: "hijacked connections kept", Options: set(func(s *fasthttp.Server) { s.KeepHijackedConns = true })},
	{Name: "counted by address", Options: enginetest.Options{MaxConnsPerIP: 1000}},
	{Name: "small buffers", Options: set(func(s *fasthttp.Server) { s.ReadBufferSize, s.WriteBufferSize = 512, 512 })},
	{Name: "timeouts", Options: enginetest.Options{
		ReadTimeout: enginetest.Patience, WriteTimeout: enginetest.Patience, IdleTimeout: enginetest.Patience,
	}},
	{Name: "no default headers", Options: set(func(s *fasthttp.Server) {
		s.NoDefaultServerHeader, s.NoDefaultDate, s.NoDefaultContentType = true, true, true
	})},
	{Name: "close on shutdown", Options: set(func(s *fasthttp.Server) { s.CloseOnShutdown = true })},

	{Name: "TLS", Options: enginetest.Options{TLS: true}},
	{Name: "TLS, all at once", Options: enginetest.Options{
		TLS: true, StreamRequestBody: true, MaxConnsPerIP: 1000, LowerCase: true, DisableHeaderNamesNormalizing: true,
		Configure: engineio.Tune,
	}},
	{Name: "Unix socket", Options: enginetest.Options{Listen: unixSocket}, Proxy: "unix"},
	{Name: "wrapped connections", Options: enginetest.Options{Wrap: func(c net.Conn) net.Conn { return wrapped{c} }}},
	{Name: "wrapped connections, TLS", Options: enginetest.Options{
		TLS: true, Wrap: func(c net.Conn) net.Conn { return wrapped{c} },
	}},
	{Name: "embedded connections", Options: enginetest.Options{Wrap: func(c net.Conn) net.Conn { return embedding{c} }}},
	{Name: "opaque connections", AbortsUnseen: true, Options: enginetest.Options{
		Wrap: func(c net.Conn) net.Conn { return opaque{c} },
	}},

	{Name: "Immutable", App: App{Immutable: true}},
	{Name: "StrictRouting", App: App{StrictRouting: true}},
	{Name: "UnescapePath", App: App{UnescapePath: true}},
	{Name: "CaseSensitive", App: App{CaseSensitive: true}},
}

// with is the setting with one thing more.
func (s Setting) with(more func(*fasthttp.Server)) Setting {
	before := s.Options.Configure
	s.Options.Configure = func(server *fasthttp.Server) {
		if before != nil {
			before(server)
		}
		more(server)
	}
	return s
}

func set(f func(*fasthttp.Server)) enginetest.Options { return enginetest.Options{Configure: f} }

// unixSocket listens in a folder of its own: that of a test has too long a name.
func unixSocket(t testing.TB) net.Listener {
	t.Helper()
	dir, err := os.MkdirTemp("", "eio")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	return ln
}

// A wrapped connection offers what is in it, as those for the PROXY protocol do.
type wrapped struct{ net.Conn }

// Raw is the connection itself.
func (w wrapped) Raw() net.Conn { return w.Conn }

// An embedding one does not, as those for limits and for counting. It may be looked at now and then.
type embedding struct{ net.Conn }

// An opaque one hides it.
type opaque struct{ hidden }

type hidden = net.Conn
