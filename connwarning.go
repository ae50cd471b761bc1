package engineio

import (
	"fmt"
	"net"
	"sync"

	"github.com/fasteio/engineio/internal/conncheck"
)

// connWarnings is what the log was told of connections that cannot be seen through.
type connWarnings struct{ unknown, blind, hijacked sync.Once }

// innerConn is the connection in a wrapper of fasthttp's for MaxConnsPerIP, any other as it is. The wrapper is another
// client's when it was closed.
func (srv *Server) innerConn(c net.Conn) net.Conn {
	inner, known := conncheck.PerIP(c)
	if !known {
		srv.connWarnings.unknown.Do(func() {
			srv.config.Logger.Error("engineio: this version of fasthttp has a type of connection that the engine does not know; "+
				"use a newer engine, and no MaxConnsPerIP until then", "type", fmt.Sprintf("%T", c))
		})
	}
	return inner
}

// checkConn warns once of connections on which a client that goes away is noticed late.
func (srv *Server) checkConn(c net.Conn) {
	srv.innerConn(c)
	if hides := conncheck.Blind(c); hides != "" {
		srv.connWarnings.blind.Do(func() {
			srv.config.Logger.Warn("engineio: a type of connection hides its socket, so a long-polling client that goes away is noticed "+
				"when its heartbeat is due and not at once; give the type a method NetConn() net.Conn for the connection beneath", "type", hides)
		})
	}
}
