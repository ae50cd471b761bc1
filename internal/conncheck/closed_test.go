package conncheck

import (
	"crypto/tls"
	"net"
	"testing"
)

func TestClosed(t *testing.T) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"TCP": func(c net.Conn) net.Conn { return c },
		"TLS": func(c net.Conn) net.Conn { return tls.Client(c, &tls.Config{}) },
	} {
		peer, err := net.Dial("tcp4", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		beneath, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		c := wrap(beneath)
		if _ = peer.Close(); Closed(c) {
			t.Errorf("%s: closed, though its peer was", name)
		}
		if _ = beneath.Close(); Closed(c) != canWatch {
			t.Errorf("%s: closed is %v", name, Closed(c))
		}
	}
	a, b := net.Pipe()
	_, _ = a.Close(), b.Close()
	if Closed(a) || Closed(nil) {
		t.Error("closed, where nothing tells")
	}
}
