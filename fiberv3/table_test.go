package eiofiber_test

import (
	"net"
	"testing"

	"github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/integration/table"
)

var onFiberV3 = table.Stack{
	Name:      "fiber v3",
	Framework: true,
	Start: func(t *testing.T, config engineio.Config, s table.Setting) *table.Site {
		srv := engineio.New(config)
		mount := func(app *fiber.App) {
			app.Use(eiofiber.New(srv))
			app.Use(func(c fiber.Ctx) error { return c.Send(append([]byte(table.Elsewhere), c.Body()...)) })
		}
		app := fiber.New(fiberConfig(s))
		mount(app)
		return &table.Site{Servers: []*engineio.Server{srv}, HTTP: enginetest.Serve(t, s.Options, app.Server(), quietly(app), app.Shutdown)}
	},
}

// fiberConfig says in Fiber's words how the server is set.
func fiberConfig(s table.Setting) fiber.Config {
	var server fasthttp.Server
	if f := s.Options.Configure; f != nil {
		f(&server)
	}
	return fiber.Config{
		Immutable:     s.App.Immutable,
		StrictRouting: s.App.StrictRouting,
		UnescapePath:  s.App.UnescapePath,
		CaseSensitive: s.App.CaseSensitive,

		StreamRequestBody:         s.Options.StreamRequestBody,
		ReadBufferSize:            server.ReadBufferSize,
		WriteBufferSize:           server.WriteBufferSize,
		DisableKeepalive:          server.DisableKeepalive,
		DisableHeaderNormalizing:  s.Options.DisableHeaderNamesNormalizing,
		DisableDefaultDate:        server.NoDefaultDate,
		DisableDefaultContentType: server.NoDefaultContentType,
	}
}

func quietly(app *fiber.App) func(net.Listener) error {
	return func(ln net.Listener) error {
		return app.Listener(ln, fiber.ListenConfig{DisableStartupMessage: true})
	}
}

// The whole table of behaviours, as on fasthttp and on Fiber v2 in internal/integration.
func TestTable(t *testing.T) { table.Run(t, onFiberV3) }
