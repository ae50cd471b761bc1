// Command echo answers every message with itself. It is the server that conformance and load
// tools start; for a program to learn from see examples/chat.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
)

const (
	// drainTimeout is how long SIGTERM gives clients to fetch what was sent to them.
	drainTimeout = 5 * time.Second
	// hangUpTimeout is how long the HTTP server then waits for connections on which nobody has
	// asked for anything yet; browsers open some in advance.
	hangUpTimeout = time.Second
)

func main() {
	if err := run(os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	srv := engineio.New(o.config())
	serve, shutdown := fasthttpStack(srv, o)
	if o.stack == "fiber" {
		serve, shutdown = fiberStack(srv, o)
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(srv.Listener(ln)) }()
	fmt.Println("listening on", ln.Addr())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	select {
	case err := <-failed:
		return err
	case <-stop:
		signal.Stop(stop) // a second one ends the process at once
	}
	within(drainTimeout, srv.Shutdown)
	within(hangUpTimeout, shutdown)
	return nil
}

// within runs a shutdown. Clients that do not come to its end in time are not an error.
func within(d time.Duration, shutdown func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "echo:", err)
	}
}

// readBufferSize leaves room for the cookies that proxies and applications add; the 4 KB of
// fasthttp answer 431 to those.
const readBufferSize = 16 << 10

func fasthttpStack(srv *engineio.Server, o options) (func(net.Listener) error, func(context.Context) error) {
	server := &fasthttp.Server{
		Handler:            srv.Handler(nil),
		ReadBufferSize:     readBufferSize,
		MaxRequestBodySize: 2 * o.maxPayload,
		ErrorHandler:       refuse,
	}
	if o.tuned {
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

func fiberStack(srv *engineio.Server, o options) (func(net.Listener) error, func(context.Context) error) {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        readBufferSize,
		BodyLimit:             2 * o.maxPayload,
	})
	if o.tuned {
		eiofiber.Tune(app)
	}
	app.Use(eiofiber.New(srv))
	return app.Listener, app.ShutdownWithContext
}
