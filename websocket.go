package engineio

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/conncheck"
	"github.com/fasteio/engineio/internal/ws"
	"github.com/fasteio/engineio/internal/wshandshake"
)

// expiredDeadline is a deadline that ends a pending read or write at once.
var expiredDeadline = time.Unix(1, 0)

// webSocket carries a session over one hijacked connection.
//
// The connection belongs to one goroutine, its owner, which waits for the client and has other goroutines do what is to be
// done then, one at a time (see runOnFreshStack): they read. The goroutine that has claimed the outbox writes: the reading
// one for what its callbacks sent, otherwise one that ends when the queue is empty. All others only set
// deadlines, under mu. The owner is the last to use the connection: after it the connection's wrapper is another
// client's.
type webSocket struct {
	// Set before the connection is there.
	s       *Session
	flush   func()      // drain; kept because a method value allocates
	alive   func() bool // isAlive, likewise; nil where no rate is bounded
	deflate bool        // permessage-deflate was agreed on
	base64  bool        // the upgrade request wants binary as base64
	http    *httpServer // of an upgrade request

	// Used by the goroutine that reads.
	response *fasthttp.Response // to be written first; nil when it is written
	ownConn  net.Conn           // the connection, where closing it is up to us and not to fasthttp
	reader   *ws.Reader
	lastRead time.Duration // of Server.now

	// Used by the goroutine that writes.
	broken   bool           // a write has failed
	tlsWatch *tlsWriteWatch // of a tls.Conn

	mu          sync.Mutex    // guards what follows; conn is read without it by those that read and write
	conn        net.Conn      // nil before the hijack and after releaseConn
	interrupted bool          // interrupt came before the hijack
	lastTry     bool          // the write under way is the last try
	closeCode   uint16        // of the client's close frame, noStatus when that had none; 0 before it
	writeUntil  time.Duration // of Server.now, when a session that has ended stops writing
}

func newWebSocket(s *Session) *webSocket {
	w := &webSocket{s: s}
	w.flush = w.drain
	if s.rate != nil {
		w.alive = w.isAlive
	}
	return w
}

// isAlive reports whether the client is still connected. It is called by the goroutine that reads.
func (w *webSocket) isAlive() bool { return !conncheck.Gone(w.conn) }

// openDelay is how long a WebSocket of revision 3 sends nothing after the 101. Clients of that time attach
// their message handler in the open event, and in Node they miss the first message when it arrives in one read
// with the 101: the official suite lost the handshake in one run of six.
const openDelay = 5 * time.Millisecond

// serve opens the session on a hijacked connection, and serves it to its end.
func (w *webSocket) serve(hijacked net.Conn) {
	if !w.takeConn(hijacked, (*webSocket).open) {
		w.s.terminate(ReasonTransportClose, errNoHijack)
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
		w.reject("session has ended")
		return false
	}
	return w.releaseIfSlow() || w.read()
}

// takeConn makes w the owner of the hijacked connection, writes the response to the upgrade request, and runs start and
// what follows. It reports whether the client got its 101; start is not run otherwise.
//
// Normally the calling goroutine, which is fasthttp's, stays until the end, with the upgrade request and its read buffer.
// Where the server keeps hijacked connections (see Tune), a goroutine that has nothing but its stack takes over.
func (w *webSocket) takeConn(hijacked net.Conn, start func(*webSocket) bool) bool {
	w.s.srv.busy.add()
	begun := w.runOnFreshStack(func(w *webSocket) bool { w.unwrapConn(hijacked); return w.writeResponse() })
	if !begun {
		start = func(*webSocket) bool { return false }
	}
	if w.ownConn != nil {
		go w.run(start)
		return begun
	}
	w.run(start)
	_ = hijacked.Close() // a no-op; see wshandshake.Kept for when it is not
	return begun
}

// unwrapConn finds the connection beneath the one that fasthttp gives to a hijack handler.
func (w *webSocket) unwrapConn(hijacked net.Conn) {
	conn := wshandshake.Raw(hijacked)
	if wshandshake.Kept(hijacked) {
		w.ownConn = conn
	}
	w.s.srv.checkHijacked(hijacked)
	w.setConn(w.s.srv.innerConn(conn), wshandshake.Early(hijacked))
}

// setConn makes conn the connection. The early bytes were read from it before.
func (w *webSocket) setConn(conn net.Conn, early []byte) {
	w.reader = ws.NewReader(conn, early, w.s.srv.config.MaxPayload)
	if w.deflate {
		w.reader.AcceptDeflated()
	}
	w.mu.Lock()
	w.conn = conn
	w.mu.Unlock()
}

// run runs start, and then read each time the client has sent something, until one of them reports false.
func (w *webSocket) run(start func(*webSocket) bool) {
	defer w.s.srv.busy.done()
	defer w.releaseConn()
	work := w.runOnFreshStack
	if w.reader == nil || !w.reader.Waits() {
		work = w.runHere
	}
	for goesOn := work(start); goesOn; goesOn = work((*webSocket).read) {
		w.reader.Wait()
	}
}

// releaseConn ends every use of the connection, and closes it where that is up to us. A session that it still carries has
// ended by now, unless the engine itself panicked, and its close frame is being written.
func (w *webSocket) releaseConn() {
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
		return // a panic came before setConn
	}
	w.reader.Release()
	closeWrite(conn) // a client that is still sending reads the end of the stream, and not a reset
	if w.ownConn != nil {
		_ = w.ownConn.Close()
	}
}

// read hands what comes in to the session. It reports true when the client is slow and run is to wait for it, and false
// when the connection or the session has ended. The answers to what came in together are written together.
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
				w.discardInput()
			}
			return false
		}
		if w.releaseIfSlow() {
			return true
		}
	}
}

// receive acts on one message or control frame. It reports whether to read on.
func (w *webSocket) receive(op ws.Op, payload []byte) bool {
	switch op {
	case ws.Ping:
		w.s.out.pushPong(payload)
	case ws.Text, ws.Binary:
		if w.s.over.Load() {
			return true // our close frame is written, and only the client's is waited for
		}
		p, err := w.s.revision.DecodeMessage(op == ws.Binary, payload)
		if err != nil {
			w.s.terminate(ReasonParseError, err)
			return true
		}
		w.s.receive(p, w.alive)
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

// fail ends the session with the reason that a failed read gives.
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

// discardInput reads what the client still sends after a close frame that it did not expect. A connection closed with
// unread bytes is reset, and the client would not see the close frame.
func (w *webSocket) discardInput() {
	if w.s.out.holds(w) {
		w.s.out.waitIdle() // another goroutine may be writing the close frame
	}
	closeWrite(w.conn)
	_ = w.conn.SetReadDeadline(time.Now().Add(w.s.srv.config.CloseTimeout))
	_, _ = io.Copy(io.Discard, io.LimitReader(w.conn, discardMax))
}

// closeWrite closes the writing half of the connection, where it has halves.
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
