package server

import (
	"net"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// What the README says to set around the engine.
const (
	ReadBufferSize = 16 << 10
	ReadTimeout    = 10 * time.Second
	WriteTimeout   = 10 * time.Second
	IdleTimeout    = 60 * time.Second
)

// FastHTTP serves the engine with fasthttp alone.
func FastHTTP(engine *engineio.Server, tuned bool, ln net.Listener) error {
	server := &fasthttp.Server{
		Handler:        engine.Handler(nil),
		ReadBufferSize: ReadBufferSize,
		ReadTimeout:    ReadTimeout,
		WriteTimeout:   WriteTimeout,
		IdleTimeout:    IdleTimeout,
	}
	if tuned {
		engineio.Tune(server)
	}
	return server.Serve(ln)
}
