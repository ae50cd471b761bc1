package conncheck

import (
	"net"
	"reflect"
	"syscall"
)

// unwrap returns the connection with a descriptor beneath c, or nil.
func unwrap(c net.Conn) net.Conn {
	for range 4 { // TLS in a per-IP wrapper is two
		switch u := c.(type) {
		case nil:
			return nil
		case syscall.Conn:
			if !canWatch {
				return nil
			}
			return c
		case interface{ NetConn() net.Conn }: // *tls.Conn, and fasthttp's per-IP wrapper around one
			c = u.NetConn()
		default:
			if inner := PerIP(c); inner != c {
				c = inner
				continue
			}
			return nil
		}
	}
	return nil
}

// PerIP returns what fasthttp's wrappers for MaxConnsPerIP hold, and any other connection as it is. A
// wrapper is not exported and hides the descriptor, but its field Conn is exported. It counts the
// client's connections, so it is the one to close.
//
// Only those types are opened: a stranger's wrapper may count on seeing every deadline.
func PerIP(c net.Conn) net.Conn {
	v := reflect.ValueOf(c)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return c
	}
	v = v.Elem()
	t := v.Type()
	if t.Name() != "perIPConn" && t.Name() != "perIPTLSConn" || t.PkgPath() != "github.com/valyala/fasthttp" {
		return c
	}
	if f := v.FieldByName("Conn"); f.IsValid() && f.CanInterface() {
		if inner, ok := f.Interface().(net.Conn); ok {
			return inner
		}
	}
	return c
}
