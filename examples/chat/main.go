// Command chat is a Fiber app with a chat room: a web page on the official engine.io-client, routes of
// its own, and the engine as one middleware among them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on; port 0 takes a free one")
	client := flag.String("client", filepath.FromSlash("examples/chat/node_modules/engine.io-client/dist"),
		"folder of the browser client, "+clientFile)
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the process at once
	if err := run(ctx, *addr, *client); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, addr, client string) error {
	script, err := loadClient(client)
	if err != nil {
		return err
	}
	chat := newChat()
	srv := engineio.New(chat.config())
	app, err := newApp(eiofiber.New(srv), chat, script)
	if err != nil {
		return err
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return fmt.Errorf("%w: choose another address with -addr, or make run ADDR=127.0.0.1:8080", err)
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(srv.Listener(ln)) }()
	fmt.Printf("listening on http://%s\n", ln.Addr())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		return err
	}
	// What is open now are connections that browsers keep in reserve, on which no request has come.
	// fasthttp would wait for them until readTimeout.
	err = app.ShutdownWithTimeout(time.Second)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
