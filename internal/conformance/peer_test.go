package conformance_test

import (
	"bufio"
	"bytes"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"syscall"
	"testing"
	"unicode/utf8"

	"github.com/fasteio/engineio/internal/enginetest"
)

// The bits of a frame's first byte, and the opcodes.
const (
	fin, rsv1, rsv2, rsv3 = 0x80, 0x40, 0x20, 0x10

	opText, opBinary, opClose, opPing, opPong = 1, 2, 8, 9, 10
)

// A frame is what travels in one, whoever sends it.
type frame struct {
	first   byte
	payload string
}

func (f frame) String() string {
	return fmt.Sprintf("%#x %.60q (%d bytes)", f.first, f.payload, len(f.payload))
}

// text is a message of Engine.IO, which begins with its type.
func text(s string) frame   { return frame{fin | opText, "4" + s} }
func blob(s string) frame   { return frame{fin | opBinary, s} }
func ping(s string) frame   { return frame{fin | opPing, s} }
func pong(s string) frame   { return frame{fin | opPong, s} }
func start(s string) frame  { return frame{opText, "4" + s} } // of a text in fragments
func middle(s string) frame { return frame{0, s} }
func final(s string) frame  { return frame{fin, s} }

func closing(code int, reason string) frame {
	return frame{fin | opClose, string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason}
}

// append appends the frame as a client sends it.
func (f frame) append(b []byte) []byte {
	b = append(b, f.first)
	switch n := len(f.payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xffff:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	key := binary.BigEndian.AppendUint32(nil, rand.Uint32())
	b = append(b, key...)
	at := len(b)
	b = append(b, f.payload...)
	for masks := bytes.Repeat(key, min(len(f.payload), 4096)/4+1); at < len(b); { // by octets it is slow under the race detector
		at += subtle.XORBytes(b[at:], b[at:], masks[:len(masks)/4*4])
	}
	return b
}

func encode(frames ...frame) (b []byte) {
	for _, f := range frames {
		b = f.append(b)
	}
	return b
}

// A peer is a client that says what it is told to, right or wrong, and reads strictly.
type peer struct {
	testing.TB
	conn       net.Conn
	reader     *bufio.Reader
	extensions string // what the server has agreed on
	deflated   bool   // with it, or should it have
	over       bool   // the close frame has come
}

// dial opens a session by WebSocket. A peer that is not over by then says goodbye when it is done.
func dial(t testing.TB, s *enginetest.Server, header ...string) *peer {
	t.Helper()
	conn, err := s.Dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	p := &peer{TB: t, conn: conn, reader: bufio.NewReaderSize(conn, 64<<10)}
	header = append(header, "Connection: Upgrade", "Upgrade: websocket",
		"Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==")
	p.write(enginetest.Request("GET", enginetest.Setup{}.URI("websocket", ""), s.Addr, nil, header...))
	r, err := http.ReadResponse(p.reader, nil)
	if err != nil || r.StatusCode != http.StatusSwitchingProtocols || r.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
		t.Fatalf("%+v, %v", r, err)
	}
	p.extensions = r.Header.Get("Sec-WebSocket-Extensions")
	p.deflated = p.extensions != ""
	if f := p.next(); f.first&^rsv1 != fin|opText {
		t.Fatalf("first came %v, want the open packet", f)
	}
	return p
}

func (p *peer) write(b []byte) {
	p.Helper()
	if _, err := p.conn.Write(b); err != nil {
		p.Fatal(err)
	}
}

// send sends frames in one segment, as far as they fit.
func (p *peer) send(frames ...frame) {
	p.Helper()
	p.write(encode(frames...))
}

// chop sends frames in writes of n octets.
func (p *peer) chop(n int, frames ...frame) {
	p.Helper()
	for b := encode(frames...); len(b) > 0; {
		n = min(n, len(b))
		p.write(b[:n])
		b = b[n:]
	}
}

// each sends frames one by one.
func (p *peer) each(frames ...frame) {
	p.Helper()
	for _, f := range frames {
		p.send(f)
	}
}

// next is the next frame of the server's.
func (p *peer) next() frame {
	p.Helper()
	f, err := p.read()
	if err != nil {
		p.Fatal(err)
	}
	return f
}

func (p *peer) read() (frame, error) {
	var h [10]byte
	if _, err := io.ReadFull(p.reader, h[:2]); err != nil {
		return frame{}, err
	}
	n, least, more := uint64(h[1]), uint64(0), 0
	switch n {
	case 126:
		least, more = 126, 2
	case 127:
		least, more = 1<<16, 8
	}
	if _, err := io.ReadFull(p.reader, h[2:2+more]); err != nil {
		return frame{}, err
	}
	switch more {
	case 2:
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case 8:
		n = binary.BigEndian.Uint64(h[2:])
	}
	op := h[0] & 0x0f
	switch {
	case h[0]&(rsv2|rsv3) != 0, h[0]&rsv1 != 0 && (!p.deflated || op > opBinary):
		return frame{}, fmt.Errorf("reserved bits in a frame that begins with %#x", h[0])
	case h[0]&fin == 0, op != opText && op != opBinary && op != opClose && op != opPing && op != opPong:
		return frame{}, fmt.Errorf("a frame of the server's begins with %#x", h[0])
	case h[1]&0x80 != 0:
		return frame{}, fmt.Errorf("a frame of the server's has a mask")
	case n < least, op >= opClose && n > 125, n > 1<<30:
		return frame{}, fmt.Errorf("%d bytes in a frame that begins with %#x %#x", n, h[0], h[1])
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(p.reader, payload)
	return frame{h[0], string(payload)}, err
}

// expect reads frames and compares them.
func (p *peer) expect(want ...frame) {
	p.Helper()
	for i, w := range want {
		if got := p.next(); got != w {
			p.Fatalf("frame %d of %d is %v, want %v", i+1, len(want), got, w)
		}
	}
}

// echoed sends frames one by one and expects what comes back for them.
func (p *peer) echoed(send []frame, want ...frame) {
	p.Helper()
	p.each(send...)
	p.expect(want...)
}

// ends expects the close frame with that code, and the end of the connection. Frames may come before it.
func (p *peer) ends(code int, may ...frame) {
	p.Helper()
	p.closeFrame(code, may)
	if f, err := p.read(); err != io.EOF {
		p.Errorf("after the close frame comes %v, %v; want EOF", f, err)
	}
	_ = p.conn.Close()
}

// endsUnread is ends for a client that has sent more behind its own close frame. Who closes a connection with
// unread octets resets it.
func (p *peer) endsUnread(code int, may ...frame) {
	p.Helper()
	p.closeFrame(code, may)
	if f, err := p.read(); err != io.EOF && !errors.Is(err, syscall.ECONNRESET) {
		p.Errorf("after the close frame comes %v, %v; want the end", f, err)
	}
	_ = p.conn.Close()
}

func (p *peer) closeFrame(code int, may []frame) {
	p.Helper()
	p.over = true
	f := p.next()
	for len(may) > 0 && f.first&0x0f != opClose {
		if f != may[0] {
			p.Fatalf("before the close frame comes %v, want %v", f, may[0])
		}
		f, may = p.next(), may[1:]
	}
	if code == 1005 && f == (frame{fin | opClose, ""}) {
		return // what a close frame without a code is answered with
	}
	if f.first != fin|opClose || len(f.payload) < 2 {
		p.Fatalf("got %v, want the close frame %d", f, code)
	}
	if got := int(binary.BigEndian.Uint16([]byte(f.payload))); got != code || !utf8.ValidString(f.payload[2:]) {
		p.Errorf("close code %d, reason %q; want code %d", got, f.payload[2:], code)
	}
}

// goodbye closes in good order, if that has not happened yet.
func (p *peer) goodbye() {
	p.Helper()
	if !p.over {
		p.send(closing(1000, ""))
		p.ends(1000)
	}
}
