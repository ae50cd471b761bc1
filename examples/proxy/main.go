// Command proxy is one of several instances of an engine behind nginx or HAProxy. Its session ids begin
// with the name of the instance, by which the proxies of this folder find it again.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"regexp"
	"syscall"
	"time"

	"github.com/fasteio/engineio"
)

var (
	addr         = flag.String("addr", "127.0.0.1:3001", "address to listen on; port 0 takes a free one")
	node         = flag.String("node", "a", "name of this instance: letters, digits, - and _")
	trust        = flag.String("trust", "127.0.0.1", "address or network of the proxy")
	stack        = flag.String("stack", "fasthttp", "fasthttp or fiber")
	tuned        = flag.Bool("tuned", false, "set the HTTP server with engineio.Tune")
	drain        = flag.Duration("drain", 10*time.Second, "time over which sessions leave after SIGTERM")
	pingInterval = flag.Duration("ping-interval", 25*time.Second, "time between heartbeats")
	pingTimeout  = flag.Duration("ping-timeout", 20*time.Second, "time to answer one")
)

var names = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		os.Exit(1)
	}
}

func run() error {
	if !names.MatchString(*node) {
		return fmt.Errorf("-node is %q", *node)
	}
	srv := engineio.New(config())
	serve, shutdown, err := newStack(srv)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
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
	within(*drain+5*time.Second, func(ctx context.Context) error { return srv.Drain(ctx, *drain) })
	within(5*time.Second, srv.Shutdown)
	within(time.Second, shutdown) // of connections on which nobody has asked for anything
	return nil
}

// within runs a shutdown. Clients that do not come to its end in time are not an error.
func within(d time.Duration, shutdown func(context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	if err := shutdown(ctx); err != nil {
		log.Println(err)
	}
}
