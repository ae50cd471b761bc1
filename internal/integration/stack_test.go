package integration_test

import (
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/integration/table"
)

var onFasthttp = table.Stack{
	Name: "fasthttp",
	Start: func(t *testing.T, config engineio.Config, s table.Setting) *table.Site {
		srv := engineio.New(config)
		handler := srv.Handler(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyString(table.Elsewhere)
			ctx.Response.AppendBody(ctx.Request.Body())
		})
		return &table.Site{Servers: []*engineio.Server{srv}, HTTP: enginetest.Start(t, handler, s.Options)}
	},
}

var onFiber = table.Stack{
	Name:      "fiber",
	Framework: true,
	Start: func(t *testing.T, config engineio.Config, s table.Setting) *table.Site {
		srv := engineio.New(config)
		mount := func(app *fiber.App) {
			app.Use(eiofiber.New(srv))
			app.Use(func(c *fiber.Ctx) error { return c.Send(append([]byte(table.Elsewhere), c.Body()...)) })
		}
		app := fiber.New(fiberConfig(s))
		return &table.Site{Servers: []*engineio.Server{srv}, HTTP: enginetest.StartApp(t, app, mount, s.Options)}
	},
}

// fiberConfig says in Fiber's words how the server is set.
func fiberConfig(s table.Setting) fiber.Config {
	var server fasthttp.Server
	if f := s.Options.Configure; f != nil {
		f(&server)
	}
	return fiber.Config{
		DisableStartupMessage: true,

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

// The whole table on a stack.
func TestTable(t *testing.T) {
	for _, stack := range []table.Stack{onFasthttp, onFiber} {
		t.Run(stack.Name, func(t *testing.T) {
			t.Parallel()
			table.Run(t, stack)
		})
	}
}
