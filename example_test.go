package engineio_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

func ExampleNew() {
	srv := engineio.New(engineio.Config{
		PingInterval: 10 * time.Second,
		OnMessage: func(s *engineio.Session, m engineio.Message) {
			if m.Binary {
				_ = s.SendBinary(m.Data)
				return
			}
			_ = s.SendText("you said " + string(m.Data))
		},
		OnDisconnect: func(s *engineio.Session, why *engineio.CloseError) {
			log.Println(s.ID(), "left:", why.Reason, why.Err)
		},
	})
	fmt.Println(srv.Config().Path, srv.Config().PingInterval, srv.Config().PingTimeout)
	// Output: /engine.io/ 10s 20s
}

func ExampleServer_Handler() {
	srv := engineio.New(engineio.Config{})
	app := srv.Handler(func(ctx *fasthttp.RequestCtx) {
		ctx.SetBodyString("the application's own")
	})

	// A program says: log.Fatal(fasthttp.ListenAndServe(":3000", app))
	for _, uri := range []string{"/", "/engine.io/?EIO=4&transport=pigeon"} {
		var ctx fasthttp.RequestCtx
		var req fasthttp.Request
		req.SetRequestURI(uri)
		ctx.Init(&req, nil, nil)
		app(&ctx)
		fmt.Printf("%s\n", ctx.Response.Body())
	}
	_ = srv.Shutdown(context.Background())
	// Output:
	// the application's own
	// {"code":0,"message":"Transport unknown"}
}

// A sender that has much to say waits for room instead of losing the session.
func ExampleSession_Flush() {
	send := func(ctx context.Context, s *engineio.Session, lines []string) error {
		for _, line := range lines {
			err := s.SendText(line)
			if errors.Is(err, engineio.ErrQueueFull) {
				if err = s.Flush(ctx); err == nil {
					err = s.SendText(line)
				}
			}
			if err != nil {
				return err
			}
		}
		return s.Flush(ctx)
	}
	srv := engineio.New(engineio.Config{
		OnConnect: func(s *engineio.Session) {
			go func() { // in a goroutine of its own, so that OnConnect does not wait for the client
				ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
				defer cancel()
				if err := send(ctx, s, []string{"a report", "of many", "lines"}); err != nil {
					log.Println(s.ID(), err)
				}
			}()
		},
	})
	_ = srv
}

var user = engineio.NewKey[string]("user")

func ExampleNewKey() {
	srv := engineio.New(engineio.Config{
		OnHandshake: func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
			user.Set(s, string(ctx.QueryArgs().Peek("user"))) // copied: ctx is not valid later
			return nil
		},
		OnConnect: func(s *engineio.Session) {
			name, _ := user.Get(s)
			fmt.Println("welcome,", name)
			s.CloseNow()
		},
	})
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.SetRequestURI("/engine.io/?EIO=4&transport=polling&user=Ada")
	ctx.Init(&req, nil, nil)
	srv.Handler(nil)(&ctx)
	_ = srv.Shutdown(context.Background())
	// Output: welcome, Ada
}

// A message for many is encoded once.
func ExamplePrepareText() {
	srv := engineio.New(engineio.Config{})
	news := engineio.PrepareText(`{"news":"all of it"}`)
	srv.Broadcast(news)
	for s := range srv.Sessions() { // or to some
		if s.Transport() == engineio.WebSocket {
			_ = s.SendPrepared(news)
		}
	}
	fmt.Println(srv.Len(), "sessions")
	// Output: 0 sessions
}

func ExampleRequestError() {
	srv := engineio.New(engineio.Config{
		OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
			if len(ctx.Request.Header.Peek("Authorization")) == 0 {
				return &engineio.RequestError{
					Status:  401,
					Message: "who are you?",
					Header:  http.Header{"Www-Authenticate": {"Bearer"}},
				}
			}
			return nil
		},
	})
	var ctx fasthttp.RequestCtx
	var req fasthttp.Request
	req.SetRequestURI("/engine.io/?EIO=4&transport=polling")
	ctx.Init(&req, nil, nil)
	srv.Handler(nil)(&ctx)
	fmt.Printf("%d %s\n", ctx.Response.StatusCode(), ctx.Response.Body())
	_ = srv.Shutdown(context.Background())
	// Output: 401 {"code":4,"message":"who are you?"}
}
