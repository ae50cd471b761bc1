// Package echo is the program that answers every message with itself, for the stacks that it is built with.
package echo

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

	"github.com/fasteio/engineio"
)

const (
	// drainTimeout is how long SIGTERM gives clients to fetch what was sent to them.
	drainTimeout = 5 * time.Second
	// hangUpTimeout is how long the HTTP server then waits for connections on which nobody has
	// asked for anything yet; browsers open some in advance.
	hangUpTimeout = time.Second
)

// ReadBufferSize leaves room for the cookies that proxies and applications add; the 4 KB of
// fasthttp answer 431 to those.
const ReadBufferSize = 16 << 10

// A Stack makes the HTTP server: serve runs it on a listener, shutdown ends it.
type Stack func(srv *engineio.Server, o Options) (serve func(net.Listener) error, shutdown func(context.Context) error)

// Main runs the program on one of two stacks, by what -stack says. stack is its default.
func Main(stack string, fasthttp, fiber Stack) {
	if err := run(os.Args[1:], stack, fasthttp, fiber); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "echo:", err)
		os.Exit(1)
	}
}

func run(args []string, stack string, fasthttp, fiber Stack) error {
	o, err := parse(args, stack)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	srv := engineio.New(o.config())
	on := fasthttp
	if o.Stack == "fiber" {
		on = fiber
	}
	serve, shutdown := on(srv, o)
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
