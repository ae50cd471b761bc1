package engineio

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/ws"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// past is a deadline that ends a pending read or write at once.
var past = time.Unix(1, 0)

// webSocket carries a session over one hijacked connection.
//
// The connection belongs to one goroutine, which waits for the client and has shifts do the rest, one
// after the other (see shift): they read. Whoever has claimed the outbox writes: the shift for what its
// callbacks sent, otherwise a goroutine that ends when the queue is empty. Everybody else sets
// deadlines, under mu. The owner leaves last: when it is gone the connection's wrapper is another
// client's.
type webSocket struct {
	s       *Session
	flush   func()        // drain; kept because a method value allocates
	deflate bool          // permessage-deflate was agreed on
	base64  bool          // the upgrade request wants binary as base64
	broken  bool          // a write has failed; guarded by the claim
	ending  bool          // interrupt came before the hijack; guarded by mu
	final   bool          // the write under way is the last try; guarded by mu
	until   time.Duration // of Server.now, when a session that has ended stops writing; guarded by mu

	closeCode uint16 // of the client's close frame, 1005 where it had none; 0 before it; guarded by mu

	response *fasthttp.Response // to be written first; nil when it is
	owned    net.Conn           // what is ours to close in the end; nil where that is fasthttp's
	reader   *ws.Reader
	lastRead time.Duration  // of Server.now
	grace    *tlsWriteWatch // of the writes of a tls.Conn; guarded by the claim

	mu   sync.Mutex
	conn net.Conn // nil before the hijack and after leave
}

func newWebSocket(s *Session) *webSocket {
	w := &webSocket{s: s}
	w.flush = w.drain
	return w
}

// openDelay is how long a WebSocket of revision 3 is silent after the 101. Scripts of that time wait
// for the open event and attach their message handler then, and Node gives them no chance when
// both arrive in one read: the official suite lost the handshake in one run of six.
const openDelay = 5 * time.Millisecond

// serve is the life of a session that was opened by WebSocket.
func (w *webSocket) serve(hijacked net.Conn) {
	if !w.own(hijacked, (*webSocket).open) {
		w.s.terminate(ReasonTransportClose, errNoHandover)
	}
}

func (w *webSocket) open() bool {
	if w.s.revision == V3 {
		time.Sleep(openDelay)
	}
	w.s.out.cork()
	w.s.out.compress(w.deflate)
	err := w.s.connect(w)
	w.uncork()
	if errors.Is(err, ErrClosed) {
		w.refuse("session has ended")
		return false
	}
	return w.releaseIfSlow() || w.read()
}

// own makes the hijacked connection w's, and life begins to work on it. The goroutine of fasthttp's
// that calls it stays until the end, with the upgrade request and its read buffer, or, where the server
// keeps hijacked connections (see Tune), leaves it to one that has nothing but its stack. It reports false where the
// client could not be told that it has a WebSocket: life does not begin then.
func (w *webSocket) own(hijacked net.Conn, life func(*webSocket) bool) bool {
	w.s.srv.busy.add()
	begun := w.runOnFreshStack(func(w *webSocket) bool { w.adopt(hijacked); return w.greet() })
	if !begun {
		life = func(*webSocket) bool { return false }
	}
	if w.owned != nil {
		go w.carry(life)
		return begun
	}
	w.carry(life)
	_ = hijacked.Close() // a no-op; see wshandshake.Kept for when it is not
	return begun
}

func (w *webSocket) adopt(hijacked net.Conn) {
	conn := wshandshake.Raw(hijacked)
	if wshandshake.Kept(hijacked) {
		w.owned = conn
	}
	w.s.srv.checkHijacked(hijacked)
	w.use(w.s.srv.innerConn(conn), wshandshake.Early(hijacked))
}

// use begins with a connection, off which the early bytes were read before.
func (w *webSocket) use(conn net.Conn, early []byte) {
	w.reader = ws.NewReader(conn, early, w.s.srv.config.MaxPayload)
	if w.deflate {
		w.reader.AcceptDeflated()
	}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
}

// carry is what the owner does with the connection until it goes on no more.
func (w *webSocket) carry(life func(*webSocket) bool) {
	defer w.s.srv.busy.done()
	defer w.end()
	work := w.runOnFreshStack
	if w.reader == nil || !w.reader.Waits() {
		work = w.runHere
	}
	for goesOn := work(life); goesOn; goesOn = work((*webSocket).read) {
		w.reader.Wait()
	}
}

// leave ends every use of the connection. A session that it still carries has ended by now, unless
// we panicked, and its last word is on its way.
func (w *webSocket) end() {
	w.s.cancelUpgrade(w)
	if w.s.out.holds(w) {
		w.s.terminate(ReasonTransportClose, nil)
	}
	w.s.out.detach(w)
	w.mu.Lock()
	conn := w.conn
	w.conn = nil
	w.mu.Unlock()
	if conn == nil {
		return // a stranger's connection has panicked before it was ours
	}
	w.reader.Release()
	closeWrite(conn) // a client that sends on, or is late, reads the end of the stream, and no reset
	if w.owned != nil {
		_ = w.owned.Close()
	}
}

// read gives what comes in to the session until the client is slow, or the connection or the session
// ends. The answers to all that came in together leave together.
func (w *webSocket) read() bool {
	r := w.reader
	for {
		op, payload, err := r.Next()
		w.s.out.cork()
		more := err == nil && w.receive(op, payload)
		for more && r.Buffered() {
			op, payload, err = r.Next()
			more = err == nil && w.receive(op, payload)
		}
		if err != nil {
			w.fail(err)
		}
		w.uncork()
		if !more {
			var broken *ws.Error
			if errors.As(err, &broken) {
				w.discard()
			}
			return false
		}
		if w.releaseIfSlow() {
			return true
		}
	}
}

// receive acts on one message or control frame; false ends the reading.
func (w *webSocket) receive(op ws.Op, payload []byte) bool {
	switch op {
	case ws.Ping:
		w.s.out.pushPong(payload)
	case ws.Text, ws.Binary:
		if w.s.over.Load() {
			return true // we have said our last word and wait for the client's
		}
		p, err := w.s.revision.DecodeMessage(op == ws.Binary, payload)
		if err != nil {
			w.s.terminate(ReasonParseError, err)
			return true
		}
		w.s.receive(p, w.conn)
	case ws.Close:
		code, _ := ws.ParseClose(payload)
		w.mu.Lock()
		w.closeCode = uint16(code)
		w.mu.Unlock()
		w.s.terminate(ReasonClientClose, nil)
		return false
	}
	return true
}

// fail ends the session for what a read reported.
func (w *webSocket) fail(err error) {
	var broken *ws.Error
	switch {
	case errors.As(err, &broken) && broken.Code == codeTooBig:
		w.s.terminate(ReasonTooBig, err)
	case errors.As(err, &broken):
		w.s.terminate(ReasonTransportError, err)
	case errors.Is(err, io.EOF):
		w.s.terminate(ReasonTransportClose, nil)
	default:
		w.s.terminate(ReasonTransportClose, err)
	}
}

// discard reads on after a close frame that the client did not expect: closing a connection with
// unread bytes resets it, and the client would never see why.
func (w *webSocket) discard() {
	if w.s.out.holds(w) {
		w.s.out.waitIdle() // the close frame may be another goroutine's
	}
	closeWrite(w.conn)
	_ = w.conn.SetReadDeadline(time.Now().Add(w.s.srv.config.CloseTimeout))
	_, _ = io.Copy(io.Discard, io.LimitReader(w.conn, discardMax))
}

// closeWrite ends the stream to the client, where the connection can do that by itself.
func closeWrite(conn net.Conn) {
	if c, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
}

const (
	discardMax  = 64 << 20
	discardTime = 5 * time.Second
	noStatus    = 1005 // of a close frame without code
	codeTooBig  = 1009 // RFC 6455 section 7.4.1
)
