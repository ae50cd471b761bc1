package enginetest

import (
	"bytes"
	"net"
)

// lowerNames writes the names of a request's headers in lower case. What is behind the headers stays as it is.
func lowerNames(request []byte) {
	_, rest, _ := bytes.Cut(request, []byte("\r\n"))
	for {
		line, more, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok || len(line) == 0 {
			return
		}
		name, _, _ := bytes.Cut(line, []byte(":"))
		copy(name, bytes.ToLower(name))
		rest = more
	}
}

// A lowerConn does so to the first that is written, which is a whole handshake.
type lowerConn struct {
	net.Conn
	begun bool
}

// Write writes b.
func (c *lowerConn) Write(b []byte) (int, error) {
	if !c.begun {
		c.begun = true
		b = bytes.Clone(b)
		lowerNames(b)
	}
	return c.Conn.Write(b)
}

// NetConn is the connection itself.
func (c *lowerConn) NetConn() net.Conn { return c.Conn }
