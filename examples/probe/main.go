// Command probe is a client that checks an Engine.IO server which echoes messages. It is what
// interoperability checks start; for a program to learn from see examples/client.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fasteio/engineio/client"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "probe:", err)
		os.Exit(1)
	}
}

type options struct {
	url, transports string
	protocol        int
	count, size     int
	hold, timeout   time.Duration
}

func run(args []string) error {
	var o options
	f := flag.NewFlagSet("probe", flag.ContinueOnError)
	f.StringVar(&o.url, "url", "http://127.0.0.1:3000/engine.io/", "the server; its query is kept")
	f.StringVar(&o.transports, "transports", "polling,websocket", "transports to use; the first opens")
	f.IntVar(&o.protocol, "protocol", 4, "revision of the protocol, 4 or 3")
	f.IntVar(&o.count, "count", 300, "messages to send")
	f.IntVar(&o.size, "size", 0, "if not 0, send one more text of this many bytes")
	f.DurationVar(&o.hold, "hold", 0, "time to stay connected before the goodbye")
	f.DurationVar(&o.timeout, "timeout", 20*time.Second, "time for everything but the hold")
	if err := f.Parse(args); err != nil {
		return err
	}
	settings := &client.Options{Revision: client.Revision(o.protocol)}
	for _, name := range strings.Split(o.transports, ",") {
		switch name {
		case "polling":
			settings.Transports = append(settings.Transports, client.Polling)
		case "websocket":
			settings.Transports = append(settings.Transports, client.WebSocket)
		default:
			return fmt.Errorf("-transports has %q", name)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), o.timeout+o.hold)
	defer cancel()
	c, err := client.Dial(ctx, o.url, settings)
	if err != nil {
		return err
	}
	defer c.CloseNow()
	return check(ctx, c, o)
}

func check(ctx context.Context, c *client.Client, o options) error {
	messages := o.messages()
	echoes := &echoes{want: append(messages, client.Message{Data: []byte("bye")}), got: make(chan int, len(messages)+1)}
	done := make(chan error, 1)
	go func() {
		done <- c.Run(ctx, client.Handler{OnMessage: echoes.take})
	}()
	if err := converse(ctx, c, o, messages, echoes); err != nil {
		return err
	}
	transport := c.Transport()
	if err := c.Close(); err != nil {
		return err
	}
	if err := <-done; err != nil {
		return err
	}
	fmt.Printf("ok transport=%v received=%d\n", transport, len(echoes.want))
	return nil
}

func converse(ctx context.Context, c *client.Client, o options, messages []client.Message, e *echoes) error {
	for i, m := range messages {
		if i == (len(messages)+1)/2 {
			if _, err := c.AwaitUpgrade(ctx); err != nil {
				return fmt.Errorf("upgrade: %w", err)
			}
		}
		if err := send(ctx, c, m); err != nil {
			return err
		}
	}
	if err := e.until(ctx, c, len(messages)); err != nil {
		return err
	}
	if _, err := c.AwaitUpgrade(ctx); err != nil {
		return fmt.Errorf("upgrade: %w", err)
	}
	select {
	case <-time.After(o.hold):
	case <-c.Context().Done():
		return context.Cause(c.Context())
	}
	if err := c.SendText(ctx, "bye"); err != nil {
		return err
	}
	return e.until(ctx, c, len(messages)+1)
}

func send(ctx context.Context, c *client.Client, m client.Message) error {
	if m.Binary {
		return c.SendBinary(ctx, m.Data)
	}
	return c.SendText(ctx, string(m.Data))
}

func (o *options) messages() []client.Message {
	var messages []client.Message
	for i := range o.count {
		if i%3 == 2 {
			messages = append(messages, client.Message{Data: []byte{byte(i), byte(i >> 8), 0x1e}, Binary: true})
		} else {
			messages = append(messages, client.Message{Data: fmt.Appendf(nil, "message %d €😀", i)})
		}
	}
	if o.size > 0 {
		messages = append(messages, client.Message{Data: bytes.Repeat([]byte("x"), o.size)})
	}
	return messages
}

// echoes compares what comes back with what was sent.
type echoes struct {
	want []client.Message
	n    int      // how many were right
	seen int      // how many of them until has seen
	got  chan int // n after each message that was right, -1 after the first that was not
	err  error
}

func (e *echoes) take(_ *client.Client, m client.Message) {
	switch {
	case e.err != nil:
	case e.n == len(e.want):
		e.err = fmt.Errorf("message %d was not sent: %.60q", e.n, m.Data)
		e.got <- -1
	case m.Binary != e.want[e.n].Binary || !bytes.Equal(m.Data, e.want[e.n].Data):
		e.err = fmt.Errorf("echo %d is %.60q (binary %t), want %.60q (binary %t)",
			e.n, m.Data, m.Binary, e.want[e.n].Data, e.want[e.n].Binary)
		e.got <- -1
	default:
		e.n++
		e.got <- e.n
	}
}

// until waits for n echoes in all.
func (e *echoes) until(ctx context.Context, c *client.Client, n int) error {
	for got := 0; e.seen < n; e.seen = got {
		select {
		case got = <-e.got:
			if got < 0 {
				return e.err
			}
		case <-c.Context().Done():
			return context.Cause(c.Context())
		case <-ctx.Done():
			return fmt.Errorf("only %d of %d echoes in time", e.seen, len(e.want))
		}
	}
	return nil
}
