package engineio

import (
	"log/slog"
	"net"
	"reflect"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/enginetest"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// hijackConn is the type of the connections that fasthttp gives hijack handlers. It is found out before the
// tests run: what that starts must not belong to a bubble.
var hijackConn = func() reflect.Type {
	found := make(chan reflect.Type)
	srv := &fasthttp.Server{Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.HijackSetNoResponse(true)
		ctx.Hijack(func(c net.Conn) { found <- reflect.TypeOf(c) })
	}}
	server, client := net.Pipe()
	go func() { _ = srv.ServeConn(server) }()
	_, _ = client.Write([]byte("GET / HTTP/1.1\r\nHost: a\r\n\r\n"))
	return (<-found).Elem()
}()

// hijacked is c as fasthttp gives it to a hijack handler. A kept one is ours to close.
func hijacked(t testing.TB, c net.Conn, kept bool) net.Conn {
	t.Helper()
	h := reflect.New(hijackConn)
	for name, value := range map[string]any{"Conn": c, "r": c, "s": &fasthttp.Server{KeepHijackedConns: kept}} {
		f := h.Elem().FieldByName(name)
		if !f.IsValid() {
			t.Fatalf("fasthttp's %v has no field %s any more, see wshandshake.Kept", hijackConn, name)
		}
		reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().Set(reflect.ValueOf(value))
	}
	conn := h.Interface().(net.Conn)
	if wshandshake.Kept(conn) != kept || wshandshake.Raw(conn) != c {
		t.Fatalf("wshandshake.Kept does not know fasthttp's %v any more", hijackConn)
	}
	return conn
}

// hijack has life serve c as fasthttp does, in the way the environment asks for, and returns when the
// connection belongs to somebody else.
func hijack(t testing.TB, c guarded, life func(net.Conn)) {
	t.Helper()
	life(hijacked(t, c, enginetest.Tuned()))
	if !enginetest.Tuned() {
		_ = c.is().Close()
		return
	}
	select {
	case <-c.is().gone:
	case <-time.After(1000 * time.Hour): // of a fake clock; longer than any test waits for anything else
		t.Error("the connection is never closed")
	}
}

// A connection of a type that we do not know may be kept, or not. It is closed at the end: fasthttp's own, where it is not
// kept, does nothing then.
func TestUnknownConnectionIsClosed(t *testing.T) {
	for name, life := range map[string]func(*webSocket) func(net.Conn){
		"serve":        func(w *webSocket) func(net.Conn) { return w.serve },
		"serveRefused": func(w *webSocket) func(net.Conn) { return w.serveRefused },
	} {
		t.Run(name, func(t *testing.T) {
			book := new(logbook)
			s := newTestSession(t, newTestServer(Config{Logger: slog.New(book)}), V4, WebSocket)
			server, client := net.Pipe()
			conn := newGuard(t, server)
			left := make(chan struct{})
			go func() { defer close(left); life(newWebSocket(s))(conn) }()
			if _, _, err := readFrame(client); err != nil {
				t.Fatal(err)
			}
			_ = client.Close()
			<-left
			if !conn.released.Load() {
				t.Error("the connection is open")
			}
			if book.count("ERROR engineio: this version of fasthttp has a type of hijacked connection") != 1 {
				t.Errorf("logged %q", book.lines)
			}
			s.CloseNow()
			settled(t, s.srv)
		})
	}
}
