package conncheck

import (
	"net"
	"reflect"
	"strings"
	"syscall"
)

// unwrap returns the connection with a descriptor beneath c, or nil. ours is false where that was found in a
// stranger's wrapper, which has not offered it: it may be shared, and is for looking only.
func unwrap(c net.Conn) (beneath net.Conn, ours bool) {
	ours = true
	for range 8 { // TLS in the PROXY protocol in a per-IP wrapper is three
		switch u := c.(type) {
		case nil:
			return nil, false
		case syscall.Conn:
			if !canWatch {
				return nil, false
			}
			return c, ours
		case interface{ NetConn() net.Conn }: // *tls.Conn, and fasthttp's per-IP wrapper around one
			c = u.NetConn()
		case interface{ Raw() net.Conn }: // go-proxyproto
			c = u.Raw()
		case interface{ TCPConn() (*net.TCPConn, bool) }: // its older versions
			tcp, ok := u.TCPConn()
			if !ok {
				return nil, false
			}
			c = tcp
		default:
			inner, _ := PerIP(c)
			if reflect.TypeOf(inner) == reflect.TypeOf(c) { // not opened; c itself may be of a kind that == panics for
				inner, ours = embedded(c), false
			}
			c = inner
		}
	}
	return nil, false
}

// embedded returns the connection that the struct type of c embeds, nil when there is none: netutil.LimitListener,
// cmux and most wrappers that count or limit are made so.
func embedded(c net.Conn) net.Conn {
	v := reflect.Indirect(reflect.ValueOf(c))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		if f := v.Type().Field(i); f.Anonymous && f.IsExported() {
			if inner, ok := v.Field(i).Interface().(net.Conn); ok {
				return inner
			}
		}
	}
	return nil
}

const ofFasthttp = "github.com/valyala/fasthttp"

// PerIP returns what fasthttp's wrappers for MaxConnsPerIP hold, and any other connection as it is. A
// wrapper is not exported and hides the descriptor, but its field Conn is exported. It counts the
// client's connections, so it is the one to close.
//
// Only those types are opened: a stranger's wrapper may count on seeing every deadline. known is false for a type of
// fasthttp's that this version does not know: it may be such a wrapper, which is another client's once it was closed.
func PerIP(c net.Conn) (inner net.Conn, known bool) {
	v := reflect.ValueOf(c)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return c, true
	}
	v = v.Elem()
	if v.Type().PkgPath() != ofFasthttp {
		return c, true
	}
	switch v.Type().Name() {
	case "fakeAddrer": // of RequestCtx.Init
		return c, true
	case "perIPConn", "perIPTLSConn":
		if f := v.FieldByName("Conn"); f.IsValid() && f.CanInterface() {
			if inner, ok := f.Interface().(net.Conn); ok {
				return inner, true
			}
		}
	}
	return c, false
}

// Blind names the type of the connection in whose descriptor's place there is nothing to watch, and is empty where
// there is a descriptor, where the system does not tell of a peer that leaves, and for what is in memory anyway.
func Blind(c net.Conn) string {
	if beneath, _ := unwrap(c); beneath != nil || !canWatch || c == nil {
		return ""
	}
	for inner := c; inner != nil; {
		name := reflect.TypeOf(inner).String()
		if strings.HasPrefix(name, "*net.pipe") || strings.HasPrefix(name, "*fasthttp") {
			return ""
		}
		t, ok := inner.(interface{ NetConn() net.Conn })
		if !ok {
			return name
		}
		inner = t.NetConn()
	}
	return ""
}
