package peers

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/gobwas/httphead"
	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsflate"

	"github.com/fasteio/engineio/internal/enginetest"
)

// gobwasClient is github.com/gobwas/ws, which leaves much to its user.
type gobwasClient struct {
	conn    net.Conn
	reader  *bufio.Reader
	deflate bool
	pongs   chan string

	mu     sync.Mutex // writing
	packed bytes.Buffer
	packer *wsflate.Writer

	closing bool // our close frame has left
}

func dialGobwas(s *enginetest.Server, uri string, deflate bool) (client, error) {
	d := ws.Dialer{NetDial: func(context.Context, string, string) (net.Conn, error) { return s.Dial() }}
	if deflate {
		d.Extensions = []httphead.Option{wsflate.DefaultParameters.Option()}
	}
	conn, reader, handshake, err := d.Dial(context.Background(), "ws://"+s.Addr+uri)
	if err != nil {
		return nil, err
	}
	if (len(handshake.Extensions) > 0) != deflate {
		_ = conn.Close()
		return nil, errors.New("another number of extensions than was offered")
	}
	if reader == nil {
		reader = bufio.NewReader(conn)
	}
	c := &gobwasClient{conn: conn, reader: reader, deflate: deflate, pongs: make(chan string, 100)}
	c.packer = wsflate.NewWriter(&c.packed, func(w io.Writer) wsflate.Compressor {
		packer, _ := flate.NewWriter(w, flate.BestSpeed) // fails on an unknown level only
		return packer
	})
	return c, nil
}

func (c *gobwasClient) write(f ws.Frame) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(f))
}

func (c *gobwasClient) send(m message) (err error) {
	f := ws.NewTextFrame([]byte(m.data))
	if m.binary {
		f = ws.NewBinaryFrame([]byte(m.data))
	}
	if !c.deflate {
		return c.write(f)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, err = c.pack(f); err != nil {
		return err
	}
	return ws.WriteFrame(c.conn, ws.MaskFrameInPlace(f))
}

// pack is what wsflate.CompressFrame does, with one compressor for all.
func (c *gobwasClient) pack(f ws.Frame) (_ ws.Frame, err error) {
	c.packed.Reset()
	c.packer.Reset(&c.packed)
	if _, err = c.packer.Write(f.Payload); err == nil {
		err = c.packer.Flush()
	}
	if err == nil {
		err = c.packer.Close()
	}
	if err != nil {
		return f, err
	}
	f.Payload = c.packed.Bytes()
	f.Header.Length = int64(len(f.Payload))
	f.Header, err = wsflate.SetBit(f.Header)
	return f, err
}

// receive reads the server's frames, which are never fragmented.
func (c *gobwasClient) receive() (message, error) {
	state := ws.StateClientSide
	if c.deflate {
		state = state.Set(ws.StateExtended)
	}
	for {
		f, err := ws.ReadFrame(c.reader)
		if err != nil {
			return message{}, err
		}
		if err := ws.CheckHeader(f.Header, state); err != nil {
			return message{}, err
		}
		if c.deflate && f.Header.OpCode.IsData() {
			if f, err = wsflate.DecompressFrame(f); err != nil {
				return message{}, err
			}
		}
		switch f.Header.OpCode {
		case ws.OpPong:
			c.pongs <- string(f.Payload)
		case ws.OpPing:
			if err := c.write(ws.NewPongFrame(f.Payload)); err != nil {
				return message{}, err
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(f.Payload)
			if err := ws.CheckCloseFrameData(code, reason); err != nil {
				return message{}, err
			}
			if !c.closing {
				_ = c.close(uint16(ws.StatusNormalClosure))
			}
			if _, err := c.reader.ReadByte(); err != io.EOF {
				return message{}, err
			}
			return message{}, closeError(code)
		default:
			return message{f.Header.OpCode == ws.OpBinary, string(f.Payload)}, nil
		}
	}
}

func (c *gobwasClient) ping(payload string) error { return c.write(ws.NewPingFrame([]byte(payload))) }
func (c *gobwasClient) pong() <-chan string       { return c.pongs }
func (c *gobwasClient) raw() net.Conn             { return c.conn }

// close belongs to the goroutine that receives.
func (c *gobwasClient) close(code uint16) error {
	c.closing = true
	return c.write(ws.NewCloseFrame(ws.NewCloseFrameBody(ws.StatusCode(code), "bye")))
}
