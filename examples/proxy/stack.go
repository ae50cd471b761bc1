package main

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
)

const (
	readBufferSize = 16 << 10 // for the cookies of the application and the headers of the proxy
	readTimeout    = 10 * time.Second
	// idleTimeout is longer than any proxy of this folder keeps a connection for its next request. A
	// POST that meets the end of its connection is lost, and its session with it.
	idleTimeout = 75 * time.Second
)

// health is what load balancers ask: may new sessions come here?
func health(srv *engineio.Server) fasthttp.RequestHandler {
	return func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) != "/health" {
			ctx.Error("Not Found", fasthttp.StatusNotFound)
			return
		}
		srv.ServeHealth(ctx)
	}
}

// newStack makes the HTTP server of -stack: what serves, and what ends it.
func newStack(srv *engineio.Server) (func(net.Listener) error, func(context.Context) error, error) {
	switch *stack {
	case "fasthttp":
		server := &fasthttp.Server{
			Handler:        srv.Handler(health(srv)),
			ReadBufferSize: readBufferSize,
			ReadTimeout:    readTimeout,
			IdleTimeout:    idleTimeout,
		}
		if *tuned {
			engineio.Tune(server)
		}
		return server.Serve, server.ShutdownWithContext, nil
	case "fiber":
		app := fiber.New(fiber.Config{
			DisableStartupMessage: true,
			ReadBufferSize:        readBufferSize,
			ReadTimeout:           readTimeout,
			IdleTimeout:           idleTimeout,
		})
		if *tuned {
			eiofiber.Tune(app)
		}
		app.Use(eiofiber.New(srv))
		app.Get("/health", eiofiber.Health(srv))
		return app.Listener, app.ShutdownWithContext, nil
	}
	return nil, nil, fmt.Errorf("-stack is %q, must be fasthttp or fiber", *stack)
}
