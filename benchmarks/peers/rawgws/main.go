// Command rawgws imitates the wire format of Engine.IO on github.com/lxzan/gws: a canned open
// packet, then an echo. It is the ceiling for a server on that library.
package main

import (
	"flag"
	"net"

	"github.com/lxzan/gws"

	"github.com/fasteio/engineio/benchmarks/internal/peer"
)

var addr = peer.Addr()

func main() {
	flag.Parse()
	server := gws.NewServer(&echo{}, &gws.ServerOption{Logger: quiet{}})
	server.OnError = func(net.Conn, error) {}
	peer.Serve(*addr, server.RunListener)
}

// echo handles the events of all connections.
type echo struct{ gws.BuiltinEventHandler }

// OnOpen sends the open packet.
func (*echo) OnOpen(c *gws.Conn) {
	_ = c.WriteString(peer.Open("00000000000000000000", false))
}

// OnMessage sends a message back.
func (*echo) OnMessage(c *gws.Conn, m *gws.Message) {
	defer m.Close()
	if p := m.Bytes(); len(p) > 0 && p[0] != '4' {
		return // a pong
	}
	_ = c.WriteMessage(m.Opcode, m.Bytes())
}

// quiet has nothing to say but what is fatal.
type quiet struct{}

// Error is told of connections that broke, which is how clients of a load test end.
func (quiet) Error(...any) {}
