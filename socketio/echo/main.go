// Command echo is the server that checks of Socket.IO start: the namespaces "/" and "/custom", an "auth" event behind
// each connect, "message" answered by "message-back", "message-with-ack" acknowledged, each with its own arguments.
// What else it answers, for tests with real clients, is in events.go.
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
	fiberv3 "github.com/gofiber/fiber/v3"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	eiofiberv3 "github.com/fasteio/engineio/fiberv3"
	"github.com/fasteio/engineio/socketio"
)

const (
	// drainTimeout is how long SIGTERM gives clients to fetch what was sent to them.
	drainTimeout = 5 * time.Second
	// hangUpTimeout is how long the HTTP server then waits for its connections.
	hangUpTimeout = time.Second

	readBufferSize = 16 << 10
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
	sio := socketio.New(socketio.Config{Engine: o.config(), ConnectTimeout: o.connectTimeout})
	handlers(sio)
	srv := sio.Engine()
	serve, shutdown := stacks[o.stack](srv, o)
	failed := make(chan error, 1)
	go func() { failed <- serve(srv.Listener(ln)) }()
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, os.Interrupt)
	fmt.Println("listening on", ln.Addr()) // whoever reads this may send a signal

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

// A stack is an HTTP server: how it serves a listener, and ends.
type stack func(srv *engineio.Server, o options) (serve func(net.Listener) error, shutdown func(context.Context) error)

var stacks = map[string]stack{"fasthttp": onFasthttp, "fiber": onFiber, "fiberv3": onFiberV3}

func onFasthttp(srv *engineio.Server, o options) (func(net.Listener) error, func(context.Context) error) {
	server := &fasthttp.Server{Handler: srv.Handler(nil), ReadBufferSize: readBufferSize, MaxRequestBodySize: 2 * o.maxPayload}
	if o.tuned {
		engineio.Tune(server)
	}
	return server.Serve, server.ShutdownWithContext
}

func onFiber(srv *engineio.Server, o options) (func(net.Listener) error, func(context.Context) error) {
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: readBufferSize, BodyLimit: 2 * o.maxPayload})
	if o.tuned {
		eiofiber.Tune(app)
	}
	app.Use(eiofiber.New(srv))
	return app.Listener, app.ShutdownWithContext
}

func onFiberV3(srv *engineio.Server, o options) (func(net.Listener) error, func(context.Context) error) {
	app := fiberv3.New(fiberv3.Config{ReadBufferSize: readBufferSize, BodyLimit: 2 * o.maxPayload})
	if o.tuned {
		eiofiberv3.Tune(app)
	}
	app.Use(eiofiberv3.New(srv))
	serve := func(ln net.Listener) error {
		return app.Listener(ln, fiberv3.ListenConfig{DisableStartupMessage: true})
	}
	return serve, app.ShutdownWithContext
}
