package ws

import (
	"crypto/tls"
	"encoding/binary"
	"io"
	"net"
	"path/filepath"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

// clientFrame appends a frame as a client sends it. first is the whole first byte.
func clientFrame(dst []byte, first byte, payload []byte) []byte {
	at := len(dst)
	dst = appendHeader(dst, first, len(payload))
	dst[at+1] |= maskBit
	key := [4]byte{0x37, 0xfa, 0x21, 0x3d}
	dst = append(dst, key[:]...)
	for i, b := range payload {
		dst = append(dst, b^key[i&3])
	}
	return dst
}

// frames joins client frames: first byte, payload, first byte, payload...
func frames(parts ...any) []byte {
	var b []byte
	for i := 0; i < len(parts); i += 2 {
		var payload []byte
		switch p := parts[i+1].(type) {
		case string:
			payload = []byte(p)
		case []byte:
			payload = p
		}
		b = clientFrame(b, byte(parts[i].(int)), payload)
	}
	return b
}

func closePayload(code int, reason string) []byte {
	return append(binary.BigEndian.AppendUint16(nil, uint16(code)), reason...)
}

// script is a connection that delivers its chunks, one per Read as far as the buffer goes, and then EOF.
type script struct {
	net.Conn
	chunks [][]byte
}

func (s *script) Read(p []byte) (int, error) {
	for len(s.chunks) > 0 && len(s.chunks[0]) == 0 {
		s.chunks = s.chunks[1:]
	}
	if len(s.chunks) == 0 {
		return 0, io.EOF
	}
	n := copy(p, s.chunks[0])
	s.chunks[0] = s.chunks[0][n:]
	return n, nil
}

func clone(b []byte) []byte { return append([]byte(nil), b...) }

// tcpPair returns the two ends of a loopback connection.
func tcpPair(t testing.TB) (server, client net.Conn) { return socketPair(t, "tcp4", "127.0.0.1:0") }

// packetPair returns a socket with a descriptor that keeps write boundaries.
func packetPair(t testing.TB) (server, client net.Conn) {
	return socketPair(t, "unixpacket", filepath.Join(t.TempDir(), "s"))
}

func socketPair(t testing.TB, network, addr string) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen(network, addr)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	if client, err = net.Dial(network, ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func tlsPair(t testing.TB) (server, client net.Conn) {
	t.Helper()
	s, c := tcpPair(t)
	ts, tc := tls.Server(s, enginetest.ServerTLS(t)), tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	shaken := make(chan error, 1)
	go func() { shaken <- ts.Handshake() }()
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	return ts, tc
}
