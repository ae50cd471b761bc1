// Command googollee echoes with the Engine.IO server of github.com/googollee/go-socket.io, which
// speaks revision 3 only and sits on net/http.
package main

import (
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"time"

	"github.com/googollee/go-socket.io/engineio"
	"github.com/googollee/go-socket.io/engineio/transport"
	"github.com/googollee/go-socket.io/engineio/transport/polling"
	"github.com/googollee/go-socket.io/engineio/transport/websocket"

	"github.com/fasteio/engineio/benchmarks/internal/peer"
)

var addr = peer.Addr()

func main() {
	flag.Parse()
	log.SetOutput(io.Discard) // a line for every session that ends otherwise
	server := engineio.NewServer(&engineio.Options{
		PingInterval: 25 * time.Second,
		PingTimeout:  45 * time.Second, // counts from the last ping
		Transports:   []transport.Transport{polling.Default, websocket.Default},
	})
	go accept(server)
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	peer.Serve(*addr, func(ln net.Listener) error { return http.Serve(ln, mux) })
}

func accept(server *engineio.Server) {
	for {
		c, err := server.Accept()
		if err != nil {
			return
		}
		go func() {
			for echo(c) == nil {
				continue
			}
			_ = c.Close()
			server.Remove(c.ID())
		}()
	}
}

// echo sends one message back.
func echo(c engineio.Conn) error {
	kind, r, err := c.NextReader()
	if err != nil {
		return err
	}
	message, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if err := r.Close(); err != nil {
		return err
	}
	w, err := c.NextWriter(kind)
	if err != nil {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	return w.Close()
}
