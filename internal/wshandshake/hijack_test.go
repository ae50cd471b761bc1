package wshandshake

import (
	"crypto/tls"
	"io"
	"net"
	"reflect"
	"testing"

	"github.com/valyala/fasthttp"
)

// hijackedBy makes a request of srv whose handler hijacks, and returns the connection that it got. With kept it is
// closed by us, otherwise by fasthttp when the test ends.
func hijackedBy(t *testing.T, srv *fasthttp.Server, secure bool) (hijacked, beneath net.Conn) {
	t.Helper()
	got, done := make(chan [2]net.Conn, 1), make(chan struct{})
	t.Cleanup(func() { close(done) })
	srv.Handler = func(ctx *fasthttp.RequestCtx) {
		beneath := ctx.Conn()
		ctx.Hijack(func(c net.Conn) {
			got <- [2]net.Conn{c, beneath}
			<-done
			c.Close()
		})
	}
	_, dial := server(t, srv, secure)
	if _, err := io.WriteString(dial(), "GET / HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	both := <-got
	return both[0], both[1]
}

// Kept looks into a type of fasthttp's that is not exported. Its name or fields may change with any version, and then
// this must be noticed: sessions would go back to fasthttp's goroutines, and their connections stay open for ever.
func TestKept(t *testing.T) {
	eachServer(t, func(t *testing.T, srv *fasthttp.Server, secure bool) {
		hijacked, beneath := hijackedBy(t, srv, secure)
		if got := Kept(hijacked); got != srv.KeepHijackedConns {
			t.Errorf("Kept of a %T is %v, KeepHijackedConns is %v: fasthttp has changed, Kept must follow", hijacked, got, srv.KeepHijackedConns)
		}
		if Raw(hijacked) != beneath {
			t.Errorf("Raw of a %T is a %T, not the %T that carried the request", hijacked, Raw(hijacked), beneath)
		}
		if Kept(beneath) {
			t.Errorf("a %T is kept", beneath)
		}
	})
}

// Where nothing is known, a handler had better stay.
func TestKeptOfOtherConnections(t *testing.T) {
	hijacked, _ := hijackedBy(t, &fasthttp.Server{KeepHijackedConns: true}, false)
	if !Kept(hijacked) {
		t.Fatalf("Kept of a %T is false: fasthttp has changed, Kept must follow", hijacked)
	}
	ofFasthttp := reflect.TypeOf(hijacked)
	_, dial := server(t, new(fasthttp.Server), false)
	for name, c := range map[string]net.Conn{
		"nil":                    nil,
		"a nil *net.TCPConn":     (*net.TCPConn)(nil),
		"a *net.TCPConn":         dial(),
		"a *tls.Conn":            tls.Client(dial(), &tls.Config{}),
		"a nil of fasthttp's":    reflect.Zero(ofFasthttp).Interface().(net.Conn),
		"an empty one of theirs": reflect.New(ofFasthttp.Elem()).Interface().(net.Conn),
		"a wrapper":              &byPointer{hijacked},
		"a wrapper by value":     byValue{hijacked},
		"a type like fasthttp's": &hijackConn{hijacked, &fasthttp.Server{KeepHijackedConns: true}},
	} {
		if Kept(c) {
			t.Errorf("%s is kept", name)
		}
	}
}

type byPointer struct{ net.Conn }

type byValue struct{ net.Conn }

type hijackConn struct {
	net.Conn
	s *fasthttp.Server
}
