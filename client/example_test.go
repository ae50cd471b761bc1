package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// startEcho runs a server that sends every message back.
func startEcho() (url string, stop func()) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	srv := engineio.New(echo)
	server := &fasthttp.Server{Handler: srv.Handler(nil), Logger: silent{}, MaxIdleWorkerDuration: 100 * time.Millisecond}
	go func() { _ = server.Serve(ln) }()
	return "http://" + ln.Addr().String() + "/engine.io/", func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		_ = server.Shutdown()
	}
}

func ExampleDial() {
	url, stop := startEcho()
	defer stop()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := client.Dial(ctx, url, nil)
	var refused *client.ResponseError
	switch {
	case errors.As(err, &refused):
		fmt.Println("the server said no:", refused.Message)
		return
	case err != nil:
		fmt.Println("no connection:", err)
		return
	}
	_ = c.SendText(ctx, "hello")
	m, err := c.Read(ctx)
	fmt.Printf("%s %v\n", m.Data, err)
	fmt.Println(c.Close())
	// Output:
	// hello <nil>
	// <nil>
}

// A read loop ends with the client; the error says why.
func ExampleClient_Read() {
	url, stop := startEcho()
	defer stop()
	ctx := context.Background()
	c, err := client.Dial(ctx, url, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i := range 3 {
		_ = c.SendJSON(ctx, map[string]int{"n": i})
	}
	for {
		m, err := c.Read(ctx)
		var why *client.CloseError
		if errors.As(err, &why) {
			fmt.Println("ended:", why.Reason)
			return
		}
		fmt.Printf("%s\n", m.Data)
		if string(m.Data) == `{"n":2}` {
			_ = c.Close()
		}
	}
	// Output:
	// {"n":0}
	// {"n":1}
	// {"n":2}
	// ended: client close
}

// Run calls back, one call at a time, until its context ends or the client does.
func ExampleClient_Run() {
	url, stop := startEcho()
	defer stop()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	c, err := client.Dial(ctx, url, &client.Options{Transports: []client.Transport{client.WebSocket}})
	if err != nil {
		fmt.Println(err)
		return
	}
	err = c.Run(ctx, client.Handler{
		OnConnect: func(c *client.Client) {
			fmt.Println("connected by", c.Transport())
			_ = c.SendText(ctx, "hello")
		},
		OnMessage: func(c *client.Client, m client.Message) {
			fmt.Printf("message %s\n", m.Data)
			cancel()
		},
		OnDisconnect: func(c *client.Client, why *client.CloseError) {
			fmt.Println("disconnected:", why.Reason)
		},
	})
	fmt.Println(err)
	// Output:
	// connected by websocket
	// message hello
	// disconnected: client close
	// <nil>
}

// A client that comes back by itself, and gives up when the server does not want it anymore.
func ExampleReconnectOptions() {
	url, stop := startEcho()
	ctx := context.Background()
	c, err := client.Dial(ctx, url, &client.Options{
		Transports: []client.Transport{client.WebSocket},
		Reconnect: &client.ReconnectOptions{
			Backoff:    10 * time.Millisecond,
			MaxBackoff: time.Minute,
			OnAttempt: func(a client.Attempt) error {
				var refused *client.ResponseError
				if errors.As(a.Err, &refused) && refused.Code == 4 {
					return a.Err // forbidden: no use in trying again
				}
				if a.Number == 3 {
					return errors.New("long enough")
				}
				fmt.Println("attempt", a.Number)
				return nil
			},
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	stop() // the server goes away
	<-c.Context().Done()
	fmt.Println(context.Cause(c.Context()))
	// Output:
	// attempt 1
	// attempt 2
	// client: server close: long enough
}
