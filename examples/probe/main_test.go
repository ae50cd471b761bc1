package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

func serve(t *testing.T, c engineio.Config) (url string) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := engineio.New(c)
	server := &fasthttp.Server{Handler: srv.Handler(nil)}
	go func() { _ = server.Serve(ln) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = srv.Shutdown(ctx)
		_ = server.Shutdown()
	})
	return "http://" + ln.Addr().String() + "/engine.io/"
}

func TestProbe(t *testing.T) {
	url := serve(t, engineio.Config{OnMessage: func(s *engineio.Session, m engineio.Message) {
		if m.Binary {
			_ = s.SendBinary(m.Data)
		} else {
			_ = s.SendText(string(m.Data))
		}
	}})
	for _, args := range []string{
		"", "-protocol 3", "-transports polling", "-transports websocket", "-count 1", "-count 0",
		"-size 100000 -protocol 3", "-hold 50ms -transports polling",
	} {
		if err := run(append([]string{"-url", url + "?a=b"}, strings.Fields(args)...)); err != nil {
			t.Errorf("%q: %v", args, err)
		}
	}
	for _, args := range []string{"-protocol 5", "-transports pigeons", "-nonsense", "-url http://127.0.0.1:1/"} {
		if err := run(append([]string{"-url", url}, strings.Fields(args)...)); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestProbeFindsFaults(t *testing.T) {
	for name, answer := range map[string]func(s *engineio.Session, m engineio.Message){
		"wrong": func(s *engineio.Session, m engineio.Message) { _ = s.SendText("wrong") },
		"twice": func(s *engineio.Session, m engineio.Message) {
			for range 2 {
				_ = s.SendText(string(m.Data))
			}
		},
		"binary": func(s *engineio.Session, m engineio.Message) { _ = s.SendBinary(m.Data) },
		"none":   nil,
		"close":  func(s *engineio.Session, m engineio.Message) { s.Close() },
	} {
		url := serve(t, engineio.Config{OnMessage: answer})
		if err := run([]string{"-url", url, "-count", "2", "-timeout", "2s"}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
