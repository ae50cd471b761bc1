// Command echo answers every message with itself. It is the server that conformance and load
// tools start; for a program to learn from see examples/chat.
package main

import (
	"context"
	"errors"
	"net"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/echo"
)

func main() { echo.Main("fasthttp", fasthttpStack, fiberStack) }

func fasthttpStack(srv *engineio.Server, o echo.Options) (func(net.Listener) error, func(context.Context) error) {
	server := &fasthttp.Server{
		Handler:            srv.Handler(nil),
		ReadBufferSize:     echo.ReadBufferSize,
		MaxRequestBodySize: 2 * o.MaxPayload,
		ErrorHandler:       refuse,
	}
	if o.Tuned {
		engineio.Tune(server)
	}
	return server.Serve, server.ShutdownWithContext
}

// refuse answers what fasthttp could not read. Left alone, fasthttp says 400 to a body that is far
// too large as well.
func refuse(ctx *fasthttp.RequestCtx, err error) {
	var small *fasthttp.ErrSmallBuffer
	switch {
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		ctx.SetStatusCode(fasthttp.StatusRequestEntityTooLarge)
	case errors.As(err, &small):
		ctx.SetStatusCode(fasthttp.StatusRequestHeaderFieldsTooLarge)
	default:
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
	}
}

func fiberStack(srv *engineio.Server, o echo.Options) (func(net.Listener) error, func(context.Context) error) {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        echo.ReadBufferSize,
		BodyLimit:             2 * o.MaxPayload,
	})
	if o.Tuned {
		eiofiber.Tune(app)
	}
	app.Use(eiofiber.New(srv))
	return app.Listener, app.ShutdownWithContext
}
