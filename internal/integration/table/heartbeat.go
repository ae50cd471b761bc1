package table

import (
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// In revision 4 the server pings, in revision 3 the client.
func heartbeat(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{PingInterval: 20 * time.Millisecond, PingTimeout: enginetest.Patience})
	for _, way := range enginetest.Ways {
		c := e.connect(enginetest.Setup{Way: way})
		for range 2 {
			if p, err := c.Receive(); err != nil || p.Type != codec.Ping {
				t.Fatalf("%s: %v, %v in place of a ping", way, p, err)
			}
			e.send(c, codec.Packet{Type: codec.Pong})
		}
		c = e.connect(enginetest.Setup{Way: way, Revision: codec.V3})
		for range 2 {
			e.send(c, codec.Packet{Type: codec.Ping})
			if p, err := c.Receive(); err != nil || p.Type != codec.Pong {
				t.Fatalf("%s, revision 3: %v, %v in place of a pong", way, p, err)
			}
		}
	}
}

// A client that does not answer has gone. One whose handshake takes longer than that may try again.
func pingTimeout(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{PingInterval: 20 * time.Millisecond, PingTimeout: 20 * time.Millisecond})
	for _, way := range enginetest.Ways[:2] {
		for _, revision := range enginetest.Revisions {
			e.eventually("connects", func() bool {
				c, err := enginetest.Dial(e.HTTP, enginetest.Setup{Way: way, Revision: revision})
				if err == nil {
					t.Cleanup(c.Close)
				}
				return err == nil
			})
			e.ended(engineio.ReasonPingTimeout)
		}
	}
	e.empties()
}
