package main

import (
	"flag"
	"fmt"
	"strings"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// options are the flags.
type options struct {
	addr, path, stack                         string
	pingInterval, pingTimeout, upgradeTimeout time.Duration
	connectTimeout                            time.Duration
	maxPayload, threshold                     int
	transports, protocols                     string
	allowUpgrades                             bool
	corsOrigins, cookie                       string
	corsCredentials, compression              bool
	deflate, jsonp, tuned                     bool
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("echo", flag.ContinueOnError)
	f.StringVar(&o.addr, "addr", "127.0.0.1:3000", "where to listen")
	f.StringVar(&o.path, "path", "/socket.io/", "path of the engine")
	f.StringVar(&o.stack, "stack", "fasthttp", "fasthttp, fiber (v2) or fiberv3")
	f.DurationVar(&o.pingInterval, "ping-interval", 25*time.Second, "time between heartbeats")
	f.DurationVar(&o.pingTimeout, "ping-timeout", 20*time.Second, "time to answer one")
	f.DurationVar(&o.connectTimeout, "connect-timeout", time.Second, "time to join a namespace")
	f.IntVar(&o.maxPayload, "max-payload", 1_000_000, "bytes a client may send at once")
	f.StringVar(&o.transports, "transports", "polling,websocket", "transports on offer")
	f.BoolVar(&o.allowUpgrades, "allow-upgrades", true, "let polling sessions move to WebSocket")
	f.DurationVar(&o.upgradeTimeout, "upgrade-timeout", 10*time.Second, "time an upgrade may take")
	f.StringVar(&o.protocols, "protocols", "4", "revisions of Engine.IO on offer; Socket.IO is served over 4 alone")
	f.StringVar(&o.corsOrigins, "cors-origins", "", "origins allowed besides the own host, * for all")
	f.BoolVar(&o.corsCredentials, "cors-credentials", false, "let those origins send cookies")
	f.StringVar(&o.cookie, "cookie", "", "name of a cookie with the session id")
	f.BoolVar(&o.compression, "http-compression", true, "compress polling responses")
	f.IntVar(&o.threshold, "compression-threshold", 1024, "bytes from which on it is worth it")
	f.BoolVar(&o.deflate, "per-message-deflate", false, "compress WebSocket messages")
	f.BoolVar(&o.jsonp, "jsonp", true, "serve JSONP polling; there is none over revision 4")
	f.BoolVar(&o.tuned, "tuned", false, "set the HTTP server with engineio.Tune")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	return o, o.check()
}

func (o *options) check() error {
	if stacks[o.stack] == nil {
		return fmt.Errorf("-stack is %q, must be fasthttp, fiber or fiberv3", o.stack)
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
func (o *options) config() engineio.Config {
	c := engineio.Config{
		Path:            o.path,
		PingInterval:    o.pingInterval,
		PingTimeout:     o.pingTimeout,
		UpgradeTimeout:  o.upgradeTimeout,
		MaxPayload:      o.maxPayload,
		DisableUpgrades: !o.allowUpgrades,
		AllowedOrigins:  list(o.corsOrigins),

		AllowCredentials:     o.corsCredentials,
		DisableCompression:   !o.compression,
		CompressionThreshold: o.threshold,
		PerMessageDeflate:    o.deflate,
		DisableJSONP:         !o.jsonp,

		OnHandshake: handshake,
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
	return c
}

func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

func handshake(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
	if string(ctx.QueryArgs().Peek("reject")) == "1" {
		return &engineio.RequestError{Status: 403, Message: "Forbidden"}
	}
	agent.Set(s, string(ctx.UserAgent()))
	return nil
}
