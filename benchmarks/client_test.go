package benchmarks

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// serve runs an engine on loopback until the benchmark ends.
func serve(b *testing.B, c engineio.Config) (srv *engineio.Server, addr string) {
	b.Helper()
	srv = engineio.New(c)
	server := &fasthttp.Server{Handler: srv.Handler(nil)}
	engineio.Tune(server)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go server.Serve(ln)
	b.Cleanup(func() { _ = server.Shutdown() })
	return srv, ln.Addr().String()
}

// client is a WebSocket with an open session at its end, or at the library's that is measured.
type client struct {
	net.Conn
	in *bufio.Reader
}

const handshake = "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
	"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"

// dial connects and reads the 101, but no frame.
func dial(b *testing.B, addr string) *client {
	b.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	if _, err := io.WriteString(c, handshake); err != nil {
		b.Fatal(err)
	}
	in := bufio.NewReaderSize(c, 64<<10)
	r, err := http.ReadResponse(in, nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols {
		b.Fatal(r, err)
	}
	return &client{c, in}
}

// open connects to an engine and reads the open packet; it returns the session id.
func open(b *testing.B, addr string) (*client, string) {
	b.Helper()
	c := dial(b, addr)
	packet, err := c.frame()
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(packet), `"sid":"`)
	sid, _, ok := strings.Cut(rest, `"`)
	if !ok {
		b.Fatalf("no session id in %q", packet)
	}
	return c, sid
}

// frame reads one frame of a server.
func (c *client) frame() ([]byte, error) {
	head := make([]byte, 10)
	if _, err := io.ReadFull(c.in, head[:2]); err != nil {
		return nil, err
	}
	n := int(head[1])
	switch n {
	case 126:
		if _, err := io.ReadFull(c.in, head[:2]); err != nil {
			return nil, err
		}
		n = int(binary.BigEndian.Uint16(head))
	case 127:
		return nil, fmt.Errorf("a frame too long for a benchmark")
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(c.in, payload)
	return payload, err
}

// drain throws away what the server sends.
func (c *client) drain() { go io.Copy(io.Discard, c.in) }

// masked is a client's text frame with the message of so many bytes, "4" in front.
func masked(size int) []byte {
	payload := append([]byte("4"), strings.Repeat("x", size)...)
	frame := []byte{0x81}
	switch n := len(payload); {
	case n < 126:
		frame = append(frame, 0x80|byte(n))
	default:
		frame = binary.BigEndian.AppendUint16(append(frame, 0x80|126), uint16(n))
	}
	key := [4]byte{0x9d, 0x2c, 0x71, 0xe8}
	frame = append(frame, key[:]...)
	for i, v := range payload {
		frame = append(frame, v^key[i&3])
	}
	return frame
}
