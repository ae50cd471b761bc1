package echo

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// Options are the flags.
type Options struct {
	Stack      string // of the HTTP server
	MaxPayload int    // bytes
	Tuned      bool   // by engineio.Tune

	addr, path                                string
	pingInterval, pingTimeout, upgradeTimeout time.Duration
	threshold                                 int
	transports, protocols                     string
	allowUpgrades                             bool
	corsOrigins, cookie                       string
	corsCredentials, compression              bool
	deflate, jsonp                            bool
}

func parse(args []string, stack string) (o Options, err error) {
	f := flag.NewFlagSet("echo", flag.ContinueOnError)
	f.StringVar(&o.addr, "addr", "127.0.0.1:3000", "where to listen")
	f.StringVar(&o.path, "path", "/engine.io/", "path of the engine")
	f.StringVar(&o.Stack, "stack", stack, "fasthttp or fiber")
	f.DurationVar(&o.pingInterval, "ping-interval", 25*time.Second, "time between heartbeats")
	f.DurationVar(&o.pingTimeout, "ping-timeout", 20*time.Second, "time to answer one")
	f.IntVar(&o.MaxPayload, "max-payload", 1_000_000, "bytes a client may send at once")
	f.StringVar(&o.transports, "transports", "polling,websocket", "transports on offer")
	f.BoolVar(&o.allowUpgrades, "allow-upgrades", true, "let polling sessions move to WebSocket")
	f.DurationVar(&o.upgradeTimeout, "upgrade-timeout", 10*time.Second, "time an upgrade may take")
	f.StringVar(&o.protocols, "protocols", "3,4", "revisions on offer")
	f.StringVar(&o.corsOrigins, "cors-origins", "", "origins allowed besides the own host, * for all")
	f.BoolVar(&o.corsCredentials, "cors-credentials", false, "let those origins send cookies")
	f.StringVar(&o.cookie, "cookie", "", "name of a cookie with the session id")
	f.BoolVar(&o.compression, "http-compression", true, "compress polling responses")
	f.IntVar(&o.threshold, "compression-threshold", 1024, "bytes from which on it is worth it")
	f.BoolVar(&o.deflate, "per-message-deflate", false, "compress WebSocket messages")
	f.BoolVar(&o.jsonp, "jsonp", true, "serve JSONP polling")
	f.BoolVar(&o.Tuned, "tuned", false, "set the HTTP server with engineio.Tune")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o *Options) check() error {
	if o.Stack != "fasthttp" && o.Stack != "fiber" {
		return fmt.Errorf("-stack is %q, must be fasthttp or fiber", o.Stack)
	}
	for _, t := range list(o.transports) {
		if t != "polling" && t != "websocket" {
			return fmt.Errorf("-transports has %q", t)
		}
	}
	for _, p := range list(o.protocols) {
		if p != "3" && p != "4" {
			return fmt.Errorf("-protocols has %q", p)
		}
	}
	return nil
}

// config is the engine that the flags describe.
func (o *Options) config() engineio.Config {
	c := engineio.Config{
		Path:            o.path,
		PingInterval:    o.pingInterval,
		PingTimeout:     o.pingTimeout,
		UpgradeTimeout:  o.upgradeTimeout,
		MaxPayload:      o.MaxPayload,
		DisableUpgrades: !o.allowUpgrades,
		AllowedOrigins:  list(o.corsOrigins),

		AllowCredentials:     o.corsCredentials,
		DisableCompression:   !o.compression,
		CompressionThreshold: o.threshold,
		PerMessageDeflate:    o.deflate,
		DisableJSONP:         !o.jsonp,

		OnHandshake: handshake,
		OnMessage:   echo,
	}
	if o.corsCredentials && o.corsOrigins == "*" { // a mistake but for tests, so it must be said by a func
		c.AllowedOrigins, c.AllowOrigin = nil, func(*fasthttp.RequestCtx, string) bool { return true }
	}
	if o.cookie != "" {
		c.Cookie = &engineio.Cookie{Name: o.cookie}
	}
	for _, t := range list(o.transports) {
		if t == "polling" {
			c.Transports = append(c.Transports, engineio.Polling)
		} else {
			c.Transports = append(c.Transports, engineio.WebSocket)
		}
	}
	for _, p := range list(o.protocols) {
		c.Revisions = append(c.Revisions, engineio.Revision(p[0]-'0'))
	}
	return c
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func handshake(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
	if string(ctx.QueryArgs().Peek("reject")) == "1" {
		return &engineio.RequestError{Status: 403, Message: "Forbidden"}
	}
	return nil
}

// echo sends a message back. A client that sends faster than it reads is held up until it reads.
func echo(s *engineio.Session, m engineio.Message) {
	for {
		err := s.Send(m)
		if !errors.Is(err, engineio.ErrQueueFull) {
			return // sent, or the session has ended
		}
		ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
		err = s.Flush(ctx)
		cancel()
		if err != nil {
			s.CloseNow()
			return
		}
	}
}
