package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/bytebuffer"
)

const (
	readBuffer  = 1 << 10  // an idle WebSocket holds it
	writeBuffer = 16 << 10 // shared; longer messages go out in fragments

	// deflateFrom is the size from which on a message is worth compressing, as in the reference.
	deflateFrom = 1 << 10
)

var writeBuffers sync.Pool

// dialWebSocket does the WebSocket handshake, for a new session or for s.id.
func (s *session) dialWebSocket(ctx context.Context) (*websocket.Conn, error) {
	header, err := s.requestHeader(ctx)
	if err != nil {
		return nil, err
	}
	var conn *wsConn
	dialled := make(chan struct{})
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		defer close(dialled)
		c, err := s.dialer.dial(ctx)
		if err != nil {
			return nil, err
		}
		conn = &wsConn{Conn: c, readLeft: maxHeader}
		return conn, nil
	}
	d := websocket.Dialer{
		NetDialContext: dial, NetDialTLSContext: dial,
		ReadBufferSize: readBuffer, WriteBufferSize: writeBuffer, WriteBufferPool: &writeBuffers,
		EnableCompression: s.c.o.PerMessageDeflate,
	}
	// From the connection on, the library listens to the deadline of ctx alone.
	stop := context.AfterFunc(ctx, func() {
		<-dialled
		if conn != nil {
			abort(conn)
		}
	})
	u := *s.target.url
	u.Scheme = map[bool]string{false: "ws", true: "wss"}[s.target.secure]
	ws, response, err := d.DialContext(ctx, u.Scheme+"://"+u.Host+s.target.requestURI(WebSocket, s.id), header)
	select {
	case <-dialled:
	default:
		close(dialled) // the dialer did not get that far
	}
	if response != nil {
		s.c.cookies.set(s.target, response.Header.Values("Set-Cookie"))
	}
	switch {
	case !stop() && ctx.Err() != nil:
		if conn != nil {
			abort(conn) // closed when we return, not soon after
		}
		return nil, context.Cause(ctx)
	case errors.Is(err, websocket.ErrBadHandshake) && response.StatusCode != 101:
		body, _ := io.ReadAll(response.Body) // the library has kept a kilobyte
		return nil, s.refusal(response.StatusCode, response.Header.Get, body)
	case err != nil:
		return nil, err
	}
	conn.readLeft, conn.writeTimeout = -1, s.c.o.RequestTimeout
	ws.SetReadLimit(int64(s.c.o.ReadLimit))
	return ws, nil
}

// runWebSocket reads the WebSocket until the session ends.
func (s *session) runWebSocket() {
	stop := context.AfterFunc(s.ctx, func() { abort(s.ws.NetConn()) })
	defer stop()
	for s.ctx.Err() == nil {
		err := s.readPacket(s.ws, func(p codec.Packet) error {
			s.receive(p)
			return nil
		})
		if err != nil {
			s.readFailed(err)
			return
		}
	}
}

// readPacket hands the next packet to use, which may keep nothing of it.
func (s *session) readPacket(ws *websocket.Conn, use func(codec.Packet) error) error {
	kind, r, err := ws.NextReader()
	if err != nil {
		return err
	}
	b := bytebuffer.Acquire()
	defer bytebuffer.Release(b)
	if b.B, err = s.readAll(b.B, r); err != nil {
		return err
	}
	p, err := s.c.o.Revision.DecodeMessage(kind == websocket.BinaryMessage, b.B)
	if err != nil {
		return fmt.Errorf("%w: %q", err, b.B[:min(len(b.B), 60)])
	}
	return use(p)
}

// readAll appends what r has, up to ReadLimit: the library bounds what comes, not what it inflates to.
func (s *session) readAll(b []byte, r io.Reader) ([]byte, error) {
	limit := s.c.o.ReadLimit
	for {
		if len(b) == cap(b) {
			b = slices.Grow(b, max(512, len(b)))
		}
		n, err := r.Read(b[len(b) : min(cap(b)-1, limit)+1])
		b = b[:len(b)+n]
		s.noteActivity() // a long message is a sign of life long before its end
		switch {
		case len(b) > limit:
			return b, errTooLong
		case err == io.EOF:
			return b, nil
		case err != nil:
			return b, err
		}
	}
}

// readFailed ends the session for the error of a read, and tells the server by a close frame what it did wrong.
func (s *session) readFailed(err error) {
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		s.closedBy(closed)
		return
	}
	if errors.Is(err, websocket.ErrReadLimit) {
		err = errTooLong
	}
	reason := reasonOf(err)
	switch reason {
	case ReasonTooBig:
		s.sendCloseFrame(websocket.CloseMessageTooBig)
	case ReasonParseError, ReasonTransportError:
		s.sendCloseFrame(websocket.CloseProtocolError)
	}
	s.end(reason, err)
}

// closedBy ends the session for a close frame, or for a connection that ended without one.
func (s *session) closedBy(e *websocket.CloseError) {
	switch e.Code {
	case websocket.CloseNormalClosure, websocket.CloseNoStatusReceived:
		s.end(ReasonServerClose, nil)
	case websocket.CloseAbnormalClosure:
		s.end(ReasonTransportClose, nil)
	case websocket.CloseMessageTooBig:
		s.end(ReasonTooBig, e)
	default:
		s.end(ReasonServerClose, e)
	}
}

func (s *session) sendCloseFrame(code int) {
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(time.Second))
}

// writeCorked sends a batch in as few writes as possible. The caller holds s.writing.
func (s *session) writeCorked(b batch) error {
	conn := s.ws.NetConn().(*wsConn)
	conn.cork()
	err := s.writeBatch(b)
	if e := conn.uncork(); err == nil {
		err = e
	}
	return err
}

func (s *session) writeBatch(b batch) error {
	if b.heartbeat != nil {
		if err := s.writePacket(s.ws, *b.heartbeat); err != nil {
			return err
		}
	}
	for _, p := range b.packets {
		if err := s.writePacket(s.ws, p); err != nil {
			return err
		}
	}
	if b.closes {
		frame := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
		return s.ws.WriteControl(websocket.CloseMessage, frame, time.Now().Add(s.c.o.CloseTimeout))
	}
	return nil
}

func (s *session) writePacket(ws *websocket.Conn, p codec.Packet) error {
	b := bytebuffer.Acquire()
	defer bytebuffer.Release(b)
	b.B = s.c.o.Revision.AppendMessage(b.B, p)
	kind := websocket.TextMessage
	if p.Binary {
		kind = websocket.BinaryMessage
	}
	ws.EnableWriteCompression(len(b.B) >= deflateFrom)
	return ws.WriteMessage(kind, b.B)
}
