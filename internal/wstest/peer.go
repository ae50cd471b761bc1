package wstest

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
)

// UpgradeHeader are the lines of a handshake's header, each "Name: value", but for Host.
var UpgradeHeader = []string{
	"Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
	"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
}

// accept answers the key above.
const accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

// Peer is the client's end of a WebSocket. One goroutine may write while another reads.
type Peer struct {
	Conn       net.Conn      // the connection, for what is no frame
	Reader     *bufio.Reader // of Conn
	Extensions string        // what the server has agreed on
}

// RefusedError is an answer other than a 101 that fits.
type RefusedError struct {
	Response *http.Response // without its body
	Body     []byte         // all of it
}

// Error has the status and the body.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("wstest: refused with %s, header %v, body %.200q", e.Response.Status, e.Response.Header, e.Body)
}

// Handshake sends a request, which has the UpgradeHeader and perhaps frames behind it, and reads the 101 that answers
// it. It fails with a *RefusedError on another answer. The connection stays the caller's.
func Handshake(conn net.Conn, request []byte) (*Peer, error) {
	p := &Peer{Conn: conn, Reader: bufio.NewReaderSize(conn, 64<<10)}
	if _, err := conn.Write(request); err != nil {
		return nil, err
	}
	r, err := http.ReadResponse(p.Reader, nil)
	if err != nil {
		return nil, err
	}
	if r.StatusCode != http.StatusSwitchingProtocols || r.Header.Get("Sec-WebSocket-Accept") != accept {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		return nil, &RefusedError{r, body}
	}
	p.Extensions = r.Header.Get("Sec-WebSocket-Extensions")
	return p, nil
}

// Send writes frames in one segment, as far as they fit.
func (p *Peer) Send(frames ...Frame) error {
	_, err := p.Conn.Write(Encode(frames...))
	return err
}

// Next reads the next frame of the server's, which must be whole, unmasked, of the shortest length, and without
// reserved bits but for what the extensions allow.
func (p *Peer) Next() (Frame, error) {
	var h [10]byte
	if _, err := io.ReadFull(p.Reader, h[:2]); err != nil {
		return Frame{}, err
	}
	n, least, more := uint64(h[1]), uint64(0), 0
	switch n {
	case 126:
		least, more = 126, 2
	case 127:
		least, more = 1<<16, 8
	}
	if _, err := io.ReadFull(p.Reader, h[2:2+more]); err != nil {
		return Frame{}, err
	}
	switch more {
	case 2:
		n = uint64(binary.BigEndian.Uint16(h[2:]))
	case 8:
		n = binary.BigEndian.Uint64(h[2:])
	}
	if err := p.check(h[0], h[1], n, least); err != nil {
		return Frame{}, err
	}
	payload := make([]byte, n)
	_, err := io.ReadFull(p.Reader, payload)
	return Frame{h[0], string(payload)}, err
}

func (p *Peer) check(first, second byte, n, least uint64) error {
	op := first & 0x0f
	known := op == OpText || op == OpBinary || op >= OpClose && op <= OpPong
	switch {
	case first&(RSV2|RSV3) != 0, first&RSV1 != 0 && (p.Extensions == "" || op > OpBinary):
		return fmt.Errorf("wstest: reserved bits in a frame that begins with %#x", first)
	case first&Fin == 0, !known:
		return fmt.Errorf("wstest: a frame of the server's begins with %#x", first)
	case second&0x80 != 0:
		return fmt.Errorf("wstest: a frame of the server's has a mask")
	case n < least, op >= OpClose && n > 125, n > 1<<30:
		return fmt.Errorf("wstest: %d bytes in a frame that begins with %#x %#x", n, first, second)
	}
	return nil
}

// CloseCode reads until the close frame, answers it and returns its code, Abnormal if the connection ends without
// one.
func (p *Peer) CloseCode() int {
	for {
		f, err := p.Next()
		if err != nil {
			return Abnormal
		}
		if f.Op() == OpClose {
			_ = p.Send(f) // the server may have gone
			return f.Code()
		}
	}
}
