package main

import (
	"net"
	"os"
	"testing"
	"time"
)

// A child whose parent has gone ends at once, even in the middle of a call.
func TestAChildEndsWithItsInput(t *testing.T) {
	t.Parallel()
	deaf, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	c, err := spawn(t.Context(), os.Args[0], "client", "client", nil)
	if err != nil {
		t.Fatal(err)
	}
	settings := ClientSettings{
		Addr: deaf.Addr().String(), Bytes: stamped, Dials: 1, PingInterval: time.Minute, PingTimeout: time.Minute,
	}
	if err := c.call(t.Context(), "Client.Start", settings, nil); err != nil {
		t.Fatal(err)
	}
	opening := c.calls.Go("Client.Open", Wanted{WebSockets: 1}, nil, nil)
	conn, err := deaf.Accept() // it is under way
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := c.end(); err != nil { // that it had to be killed
		t.Error(err)
	}
	if call := <-opening.Done; call.Error == nil {
		t.Error("a session was opened at a server that is deaf")
	}
}
