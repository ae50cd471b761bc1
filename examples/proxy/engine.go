package main

import (
	"crypto/rand"
	"log"
	"net/netip"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

func config() engineio.Config {
	return engineio.Config{
		PingInterval:   *pingInterval,
		PingTimeout:    *pingTimeout,
		TrustedProxies: []string{*trust},
		Cookie:         &engineio.Cookie{Name: "io"},
		GenerateID: func(*fasthttp.RequestCtx) (string, error) {
			return *node + "." + rand.Text(), nil // the name has no dot, the rest has 130 random bits
		},
		OnMessage: answer,
		OnRequestRefused: func(_ *fasthttp.RequestCtx, remote netip.AddrPort, e *engineio.RequestError) {
			log.Println(remote, e, e.Err) // "Session ID unknown": from before a restart, or the proxy is not sticky
		},
	}
}

// answer sends a message back, but for a few questions.
func answer(s *engineio.Session, m engineio.Message) {
	switch text := string(m.Data); {
	case text == "node":
		s.SendText(*node)
	case text == "address":
		s.SendText(s.RemoteAddr().Addr().String())
	default:
		s.Send(m)
	}
}
