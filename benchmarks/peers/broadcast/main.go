// Command broadcast sends a message to all its WebSocket sessions when POST /broadcast says so.
// With -mode engine the sessions are the engine's and Broadcast sends; with -mode raw they are
// hijacked connections, one write each in a plain loop, which is the ceiling.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/benchmarks/internal/peer"
	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

var (
	addr  = peer.Addr()
	mode  = flag.String("mode", "engine", "engine or raw")
	tuned = flag.Bool("tuned", false, "engine: on a server set by engineio.Tune")
)

func main() {
	flag.Parse()
	server := &fasthttp.Server{}
	switch *mode {
	case "engine":
		server.Handler = engine()
	case "raw":
		server.Handler = raw()
	default:
		fmt.Fprintln(os.Stderr, "-mode is engine or raw")
		os.Exit(1)
	}
	if *tuned {
		engineio.Tune(server)
	}
	peer.Serve(*addr, func(ln net.Listener) error { return server.Serve(ln) })
}

func engine() fasthttp.RequestHandler {
	srv := engineio.New(engineio.Config{})
	return srv.Handler(func(ctx *fasthttp.RequestCtx) {
		each(ctx, func(message []byte) { srv.Broadcast(engineio.PrepareText(string(message))) })
		bound, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		for s := range srv.Sessions() {
			if err := s.Flush(bound); err != nil {
				ctx.Error(err.Error(), fasthttp.StatusInternalServerError)
			}
		}
	})
}

// each makes the messages that a request asks for: count of them, bytes long, numbered from first.
func each(ctx *fasthttp.RequestCtx, send func(message []byte)) {
	query := ctx.QueryArgs()
	size := max(query.GetUintOrZero("bytes"), stamp.Len)
	first := query.GetUintOrZero("first")
	for i := range query.GetUintOrZero("count") {
		send(stamp.Message(0, uint64(first+i), size))
	}
}
