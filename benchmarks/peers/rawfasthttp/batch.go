package main

import (
	"net"

	"github.com/fasthttp/websocket"
)

// batchConn keeps what is written until the next read. A buffered reader above it reads when it
// has nothing left, so this is the moment to send.
type batchConn struct {
	net.Conn
	on  bool // set by collectWrites
	out []byte
}

const batchLimit = 64 << 10

func (c *batchConn) Write(p []byte) (int, error) {
	if !c.on {
		return c.Conn.Write(p)
	}
	c.out = append(c.out, p...)
	if len(c.out) < batchLimit {
		return len(p), nil
	}
	return len(p), c.flush()
}

func (c *batchConn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

// Close sends what is left: the answer to a close frame is written right before.
func (c *batchConn) Close() error {
	_ = c.flush()
	return c.Conn.Close()
}

func (c *batchConn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	_, err := c.Conn.Write(c.out)
	c.out = c.out[:0]
	return err
}

// batchListener accepts connections that can be told to collect.
type batchListener struct{ net.Listener }

func (l batchListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &batchConn{Conn: c}, nil
}

// collectWrites turns it on for a WebSocket; HTTP responses before it went out at once.
func collectWrites(c *websocket.Conn) {
	type hijacked interface{ UnsafeConn() net.Conn }
	c.NetConn().(hijacked).UnsafeConn().(*batchConn).on = true
}
