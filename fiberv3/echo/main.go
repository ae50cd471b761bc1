// Command echo is examples/echo on Fiber v3, whatever -stack says: it answers every message with itself.
package main

import (
	"context"
	"net"

	"github.com/gofiber/fiber/v3"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/internal/echo"
)

func main() { echo.Main("fiber", fiberStack, fiberStack) }

func fiberStack(srv *engineio.Server, o echo.Options) (func(net.Listener) error, func(context.Context) error) {
	app := fiber.New(fiber.Config{
		ReadBufferSize: echo.ReadBufferSize,
		BodyLimit:      2 * o.MaxPayload,
	})
	if o.Tuned {
		eiofiber.Tune(app)
	}
	app.Use(eiofiber.New(srv))
	serve := func(ln net.Listener) error {
		return app.Listener(ln, fiber.ListenConfig{DisableStartupMessage: true})
	}
	return serve, app.ShutdownWithContext
}
