package wshandshake

import (
	"net"
	"reflect"
	"slices"
	"time"

	"github.com/fasteio/engineio/internal/bytebuffer"
)

// Raw returns the connection beneath the one fasthttp gives a hijack handler. Reading from it misses what
// Early returns. It is ours to close if Kept, and fasthttp's otherwise.
func Raw(hijacked net.Conn) net.Conn {
	if c, ok := hijacked.(interface{ UnsafeConn() net.Conn }); ok {
		return c.UnsafeConn()
	}
	return hijacked
}

// Kept reports whether a hijacked connection stays open when the hijack handler returns: whether its server has
// fasthttp.Server.KeepHijackedConns. The handler cannot ask, so the answer is read from fasthttp's own type; where that
// is not what we know, the answer is no, which is safe for a handler that stays and closes what it was given.
func Kept(hijacked net.Conn) bool {
	kept, _ := kept(hijacked)
	return kept
}

// Known reports whether hijacked is of the type that Kept reads.
func Known(hijacked net.Conn) bool {
	_, known := kept(hijacked)
	return known
}

func kept(hijacked net.Conn) (kept, known bool) {
	v := reflect.ValueOf(hijacked)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct || v.Elem().Type().PkgPath() != fasthttpPath {
		return false, false
	}
	server := v.Elem().FieldByName("s")
	if server.Kind() != reflect.Pointer || server.IsNil() || server.Elem().Kind() != reflect.Struct {
		return false, false
	}
	keep := server.Elem().FieldByName("KeepHijackedConns")
	if keep.Kind() != reflect.Bool {
		return false, false
	}
	return keep.Bool(), true
}

const fasthttpPath = "github.com/valyala/fasthttp"

// maxEarly stops Early on an in-memory connection whose deadlines do not stop it. It is beyond what fasthttp and
// TLS hold: a read buffer and a record.
const maxEarly = 1 << 20

// readSize is how much Early reads at once.
const readSize = 8 << 10

// Early returns what the client had sent behind its upgrade request and fasthttp has read with it, nil if
// nothing. It does not block; call it once, before reading from Raw. The read deadline is zero afterwards.
func Early(hijacked net.Conn) []byte {
	if hijacked.SetReadDeadline(time.Unix(1, 0)) != nil {
		return nil // a read might wait
	}
	defer hijacked.SetReadDeadline(time.Time{})
	b := bytebuffer.Acquire()
	defer bytebuffer.Release(b)
	b.B = slices.Grow(b.B, readSize)
	var early []byte
	for len(early) < maxEarly {
		n, err := hijacked.Read(b.B[:readSize])
		early = append(early, b.B[:n]...)
		if n == 0 || err != nil {
			break
		}
	}
	return early
}
