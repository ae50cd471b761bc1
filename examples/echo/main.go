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

// shutdownTimeout is how long SIGTERM gives clients to fetch what was sent to them.
const shutdownTimeout = 5 * time.Second

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
	serve, shutdown := fasthttpStack(srv, o.config())
	if o.stack == "fiber" {
		serve, shutdown = fiberStack(srv, o.config())
	}
	failed := make(chan error, 1)
	go func() { failed <- serve(ln) }()
	fmt.Println("listening on", ln.Addr())

	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	select {
	case err := <-failed:
		return err
	case <-stop:
	}
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	_ = srv.Shutdown(ctx) // clients that did not listen in time are not an error
	return shutdown()
}

// readBufferSize leaves room for the cookies that proxies and applications add; the 4 KB of
// fasthttp answer 431 to those.
const readBufferSize = 16 << 10

func fasthttpStack(srv *engineio.Server, c engineio.Config) (func(net.Listener) error, func() error) {
	server := &fasthttp.Server{
		Handler:            srv.Handler(nil),
		ReadBufferSize:     readBufferSize,
		MaxRequestBodySize: 2 * c.MaxPayload,
	}
	return server.Serve, server.Shutdown
}

func fiberStack(srv *engineio.Server, c engineio.Config) (func(net.Listener) error, func() error) {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		ReadBufferSize:        readBufferSize,
		BodyLimit:             2 * c.MaxPayload,
	})
	app.Use(eiofiber.New(srv))
	return app.Listener, app.Shutdown
}
