// Package web is what the examples share: a Fiber app with one page, the browser's socket.io-client and a Server.
package web

import (
	"context"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"

	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/socketio"
)

// Main serves until a signal. The script of the browser is npm's socket.io-client, where the flag -client says.
func Main(sio *socketio.Server, page []byte) {
	addr := flag.String("addr", "127.0.0.1:3000", "address to listen on; port 0 takes a free one")
	client := flag.String("client", "interop/node_modules/socket.io-client/dist/socket.io.min.js", "the browser's script, by npm install socket.io-client")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, sio, *addr, *client, page); err != nil {
		log.Fatal(err)
	}
}

func serve(ctx context.Context, sio *socketio.Server, addr, client string, page []byte) error {
	if _, err := os.Stat(client); err != nil {
		return fmt.Errorf("%w: npm install socket.io-client, and name the file with -client", err)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, ReadBufferSize: 16 << 10})
	app.Use(eiofiber.New(sio.Engine())) // /socket.io/ itself; what is below it goes on
	app.Get("/socket.io/socket.io.js", func(c *fiber.Ctx) error { return c.SendFile(client) })
	app.Get("/", func(c *fiber.Ctx) error {
		c.Type("html", "utf-8")
		return c.Send(page)
	})
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	served := make(chan error, 1)
	go func() { served <- app.Listener(sio.Engine().Listener(ln)) }()
	fmt.Printf("listening on http://%s\n", ln.Addr())
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := sio.Engine().Shutdown(ctx); err != nil {
		return err
	}
	_ = app.ShutdownWithTimeout(time.Second) // connections that browsers keep in reserve are no error
	return nil
}
