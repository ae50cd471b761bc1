package chaos_test

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A socket is a WebSocket of a client. One goroutine may read while others, which take turns, write.
type socket struct {
	*websocket.Conn
	revision codec.Revision
}

// dialSocket connects by WebSocket, to a session if sid names one.
func (c *client) dialSocket(sid string) (*socket, error) {
	dialer := websocket.Dialer{
		NetDial:           func(string, string) (net.Conn, error) { return c.stack.dial() },
		EnableCompression: c.deflate,
	}
	conn, r, err := dialer.Dial("ws://"+c.stack.addr+c.uri("websocket", sid), http.Header{})
	if err != nil {
		if r != nil {
			err = statusError{&reply{status: r.StatusCode}}
		}
		return nil, err
	}
	_ = conn.NetConn().SetDeadline(time.Now().Add(lifetime)) // the dialer has cleared it
	s := &socket{conn, c.revision}
	conn.SetPongHandler(func(data string) error {
		if data != c.token {
			c.fail("a pong with %q", data)
		}
		c.change(func() { c.pongs++ })
		return nil
	})
	return s, nil
}

func (s *socket) send(packets ...codec.Packet) error {
	for _, p := range packets {
		kind := websocket.TextMessage
		if p.Binary {
			kind = websocket.BinaryMessage
		}
		if err := s.WriteMessage(kind, s.revision.AppendMessage(nil, p)); err != nil {
			return err
		}
	}
	return nil
}

func (s *socket) receive() (codec.Packet, error) {
	kind, b, err := s.ReadMessage()
	if err != nil {
		return codec.Packet{}, err
	}
	return s.revision.DecodeMessage(kind == websocket.BinaryMessage, b)
}

// expect waits for one packet.
func (s *socket) expect(t codec.Type, data string) error {
	p, err := s.receive()
	if err == nil && (p.Type != t || string(p.Data) != data) {
		err = fmt.Errorf("%v %.80q in place of %v", p.Type, p.Data, t)
	}
	return err
}

// raw writes bytes, whatever they are.
func (s *socket) raw(b []byte) error {
	_, err := s.NetConn().Write(b)
	return err
}

func (s *socket) reset() { enginetest.Reset(s.NetConn()) }

// frame is a masked frame. first is its first byte: FIN, reserved bits and opcode.
func frame(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	mask := [4]byte{0x12, 0x34, 0x56, 0x78}
	b = append(b, mask[:]...)
	for i, x := range payload {
		b = append(b, x^mask[i%4])
	}
	return b
}

// First bytes of frames.
const (
	fin       = 0x80
	reserved2 = 0x20
	opMore    = 0x0
	opText    = 0x1
	opBinary  = 0x2
	opBad     = 0x3
	opClose   = 0x8
	opPing    = 0x9
	opPong    = 0xA
)
