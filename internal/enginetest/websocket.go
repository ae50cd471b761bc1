package enginetest

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
)

// WebSocket is a client on WebSocket.
type WebSocket struct {
	Conn *websocket.Conn // for what the methods do not do

	setup Setup
	open  Open
	got   []codec.Packet
}

// HandshakeError is an answer other than 101.
type HandshakeError struct {
	Response *http.Response // its body is cut to 1 KB
	Err      error          // the dialer's
}

// Error names the status.
func (e *HandshakeError) Error() string { return e.Err.Error() + ": " + e.Response.Status }

// DialWebSocket connects by WebSocket. With a sid it stops after the 101, where a probe begins.
func (s *Server) DialWebSocket(setup Setup, sid string) (*WebSocket, error) {
	setup = setup.withDefaults()
	dialer := websocket.Dialer{NetDial: func(string, string) (net.Conn, error) { return s.dialLower() }}
	c, r, err := dialer.Dial("ws://"+s.Addr+setup.URI("websocket", sid), headers(setup.Header))
	if err != nil {
		if r != nil {
			err = &HandshakeError{r, err}
		}
		return nil, err
	}
	_ = c.SetReadDeadline(time.Now().Add(Patience)) // the dialer has cleared it
	w := &WebSocket{Conn: c, setup: setup}
	if sid != "" {
		return w, nil
	}
	packet, err := w.Receive()
	if err == nil {
		w.open, err = parseOpen(packet)
	}
	if err != nil {
		w.Close()
		return nil, err
	}
	return w, nil
}

func (s *Server) dialLower() (net.Conn, error) {
	c, err := s.Dial()
	if err != nil || !s.lowerCase {
		return c, err
	}
	return &lowerConn{Conn: c}, nil
}

func headers(lines []string) http.Header {
	h := http.Header{}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, ": ")
		h.Add(name, value)
	}
	return h
}

// Handshake is the open packet.
func (w *WebSocket) Handshake() Open { return w.open }

// Send sends one message for each packet.
func (w *WebSocket) Send(packets ...codec.Packet) error {
	for _, p := range packets {
		kind := websocket.TextMessage
		if p.Binary {
			kind = websocket.BinaryMessage
		}
		if err := w.Conn.WriteMessage(kind, w.setup.Revision.AppendMessage(nil, p)); err != nil {
			return err
		}
	}
	return nil
}

// Receive is the next packet.
func (w *WebSocket) Receive() (codec.Packet, error) {
	if len(w.got) > 0 {
		p := w.got[0]
		w.got = w.got[1:]
		return p, nil
	}
	kind, b, err := w.Conn.ReadMessage()
	if err != nil {
		return codec.Packet{}, err
	}
	return w.setup.Revision.DecodeMessage(kind == websocket.BinaryMessage, b)
}

// CloseCode reads until the server's close frame, answers it and returns its code: 1005 when it has
// none, 1006 when the connection ended without one.
func (w *WebSocket) CloseCode() int {
	for {
		if _, err := w.Receive(); err != nil {
			if e, ok := err.(*websocket.CloseError); ok {
				return e.Code
			}
			return websocket.CloseAbnormalClosure
		}
	}
}

// Close drops the connection.
func (w *WebSocket) Close() { _ = w.Conn.Close() }

// Reset drops it with a TCP reset.
func (w *WebSocket) Reset() { Reset(w.Conn.NetConn()) }
