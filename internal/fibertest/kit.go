// Package fibertest tests the middlewares for Fiber v2 and v3 alike: mounts, other middlewares, and what can be set wrong.
package fibertest

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Kit is a version of Fiber and the package for it.
type Kit struct {
	// NewApp makes an app.
	NewApp func(Config) App
	// Engine is eiofiber.New. next is Config.Next, path Config.Path.
	Engine func(srv *engineio.Server, path string, next func(Ctx) bool) Handler
	// EngineByDefault is eiofiber.New with eiofiber.ConfigDefault, EngineAlone that without a Config.
	EngineByDefault, EngineAlone func(srv *engineio.Server) Handler
	// Health is eiofiber.Health.
	Health func(srv *engineio.Server) Handler
	// OnHandshake is eiofiber.OnHandshake.
	OnHandshake func(func(*engineio.Session, Ctx) error) Hook
	// Recover is Fiber's middleware of that name.
	Recover func() Handler
	// Error is fiber.NewError.
	Error func(code int, message ...string) error
	// NoError is a nil *fiber.Error.
	NoError error
	// Prefork makes this process one of Prefork's for a test, where Config.Prefork does not.
	Prefork func(t *testing.T)
	// Setting is the name of that setting.
	Setting string
}

// Hook is a Config.OnHandshake.
type Hook = func(*engineio.Session, *fasthttp.RequestCtx) error

// Config is what is used of fiber.Config.
type Config struct {
	// They are called as in fiber.Config.
	CaseSensitive, GETOnly, Prefork bool
	// So are these.
	BodyLimit, Concurrency int
	// And these.
	ReadTimeout, IdleTimeout, WriteTimeout time.Duration
	// ErrorHandler answers what is left of errors.
	ErrorHandler func(Ctx, error) error
}

// Handler is one of that version: a fiber.Handler, or a func(Ctx) error.
type Handler any

// Ctx is what both versions' contexts have.
type Ctx interface {
	Get(key string, defaultValue ...string) string
	Query(key string, defaultValue ...string) string
	Params(key string, defaultValue ...string) string
	Locals(key any, value ...any) any
	Set(key, value string)
	SendString(s string) error
	SendStatus(status int) error
	Next() error
}

// Router is a fiber.Router, with one handler a call.
type Router interface {
	Use(prefix string, h Handler)
	Add(methods []string, path string, h Handler)
	Get(path string, h Handler)
	All(path string, h Handler)
	Group(prefix string, h ...Handler) Router
}

// App is a fiber.App.
type App interface {
	Router
	Mount(prefix string, sub App)
	Test(r *http.Request) (*http.Response, error)
	Tune()
	Server() *fasthttp.Server
	Handler() fasthttp.RequestHandler
	Serve(ln net.Listener) error
	OnListen(f func())
	Shutdown() error
}

// Run tests everything.
func Run(t *testing.T, kit Kit) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, Kit)
	}{
		{"mounts", mounts},
		{"mounts that cannot work", mountsThatCannotWork},
		{"sessions below a prefix", sessionsBelowAPrefix},
		{"Prefork and GETOnly are refused with polling", preforkAndGETOnly},
		{"BodyLimit below MaxPayload", bodyLimit},
		{"open files", openFiles},
		{"New without a Server", newWithoutServer},
		{"ConfigDefault", configDefault},
		{"Fiber's errors keep their status", fiberErrors},
		{"errors are not the app's", errorsAreNotTheApps},
		{"values reach OnHandshake", valuesReachOnHandshake},
		{"OnHandshake", onHandshake},
		{"OnHandshake elsewhere", onHandshakeElsewhere},
		{"OnHandshake without a hook", onHandshakeWithoutHook},
		{"Health", health},
		{"Tune", tune},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, kit) })
	}
}

// NewEngine makes a Server that echoes, and is shut down when the test ends.
func NewEngine(t *testing.T, config engineio.Config) *engineio.Server {
	t.Helper()
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	config.OnMessage = func(s *engineio.Session, m engineio.Message) { _ = s.SendText(string(m.Data)) }
	srv := engineio.New(config)
	t.Cleanup(func() {
		now, cancel := context.WithCancel(context.Background())
		cancel()
		_ = srv.Shutdown(now)
		ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
		defer cancel()
		if err := srv.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		if n := srv.Len(); n != 0 {
			t.Errorf("%d sessions outlive the test", n)
		}
	})
	return srv
}

// Start serves an app, which mount fills with routes, until the test ends.
func Start(t *testing.T, app App, mount func(App)) *enginetest.Server {
	t.Helper()
	mount(app)
	return enginetest.Serve(t, enginetest.Options{}, app.Server(), app.Serve, app.Shutdown)
}

// Echoed connects and looks whether a message comes back.
func Echoed(t *testing.T, server *enginetest.Server, setup enginetest.Setup) {
	t.Helper()
	c := enginetest.Connect(t, server, setup)
	if err := c.Send(enginetest.Text("hello")); err != nil {
		t.Fatal(err)
	}
	if p, err := enginetest.Next(c); err != nil || string(p.Data) != "hello" {
		t.Errorf("%s: %v, %v", setup.Way, p, err)
	}
}

const query = "?EIO=4&transport=polling"
