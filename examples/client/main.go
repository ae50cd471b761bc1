// Command client is a terminal for the room of examples/chat: what it reads from standard input it says,
// and what the others say it prints. It comes back by itself when the connection is lost.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/fasteio/engineio/client"
)

func main() {
	url := flag.String("url", "http://127.0.0.1:3000/engine.io/", "the chat server")
	nick := flag.String("nick", os.Getenv("USER"), "your name in the room")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *url, *nick, os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "client:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, url, nick string, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	chat := &chat{nick: nick, key: rand.Text(), out: out, in: make(chan struct{})}
	c, err := client.Dial(ctx, url, &client.Options{
		Greeting: chat.hello,
		Reconnect: &client.ReconnectOptions{
			RefuseSends: true, // who said something is told that nobody heard it
			OnAttempt:   chat.lost,
		},
	})
	if err != nil {
		return err
	}
	go func() {
		defer cancel() // the end of the input is the end of the program
		say(ctx, c, chat, bufio.NewScanner(in))
	}()
	err = c.Run(ctx, client.Handler{
		OnMessage: chat.show,
		OnUpgrade: func(*client.Client) { chat.note("now by WebSocket") },
	})
	return errors.Join(err, chat.refused)
}

// say sends lines until there are no more.
func say(ctx context.Context, c *client.Client, chat *chat, lines *bufio.Scanner) {
	for lines.Scan() {
		select {
		case <-chat.in: // the room has let us in
		case <-ctx.Done():
			return
		}
		err := c.SendJSON(ctx, request{Type: "message", Text: lines.Text()})
		if errors.Is(err, client.ErrClosed) {
			return
		}
		if err != nil {
			chat.note("not sent: " + err.Error())
		}
	}
}
