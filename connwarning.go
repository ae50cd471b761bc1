package engineio

import (
	"fmt"
	"net"
	"sync"

	"github.com/fasteio/engineio/internal/conncheck"
)

// connWarnings log once each that a type of connection hides what the engine needs to know.
type connWarnings struct{ unknown, blind, hijacked sync.Once }

// innerConn returns the connection in fasthttp's wrapper for MaxConnsPerIP, and any other connection as it is. fasthttp
// uses a wrapper for another client when it was closed, so nothing may keep one.
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

// checkConn logs once that on a type of connection a client that goes away is noticed late.
func (srv *Server) checkConn(c net.Conn) {
	srv.innerConn(c)
	if hides := conncheck.Blind(c); hides != "" {
		srv.connWarnings.blind.Do(func() {
			srv.config.Logger.Warn("engineio: a type of connection hides its socket, so a long-polling client that goes away is noticed "+
				"when its heartbeat is due and not at once; give the type a method NetConn() net.Conn for the connection beneath", "type", hides)
		})
	}
}
