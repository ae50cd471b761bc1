package engineio

import (
	"log/slog"
	"net"
	"strings"
	"testing"
)

// hidden is a connection of an application's that does not let its socket be seen.
type hidden struct{ anyConn }

type anyConn interface{ net.Conn }

// What keeps an aborted poll from being noticed is said once, and with the remedy.
func TestHiddenSocketIsToldOnce(t *testing.T) {
	server, _ := loopback(t)
	var book logbook
	srv := newTestServer(Config{Logger: slog.New(&book)})
	srv.checkConn(server)
	srv.checkConn(nil)
	if len(book.lines) > 0 {
		t.Fatalf("logged %q of a socket", book.lines)
	}
	for range 3 {
		srv.checkConn(hidden{server})
	}
	if n := book.count("WARN engineio: a type of connection hides its socket"); n != 1 || !strings.Contains(book.lines[0], "NetConn()") {
		t.Errorf("logged %q", book.lines)
	}
}

// A connection of fasthttp's that we cannot open is an error that somebody must read.
func TestUnknownConnectionIsToldOnce(t *testing.T) {
	server, _ := loopback(t)
	var book logbook
	srv := newTestServer(Config{Logger: slog.New(&book)})
	if srv.innerConn(server) != server || len(book.lines) > 0 {
		t.Fatalf("logged %q of a socket", book.lines)
	}
	unknown := hijacked(t, server, false) // of fasthttp, and none that carries a request
	for range 3 {
		if srv.innerConn(unknown) != unknown {
			t.Error("it was opened")
		}
	}
	if n := book.count("ERROR engineio: this version of fasthttp has a type of connection"); n != 1 {
		t.Errorf("logged %q", book.lines)
	}
}
