package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/conncheck"
)

// httpConn is an HTTP/1.1 connection that one request at a time may use; a session has one for its
// polls and one for its POSTs. It is what this package uses in place of fasthttp.HostClient, around
// the same Request and Response: a request is sent exactly once, the end of a context ends it in the
// same millisecond, a connection that the server has closed meanwhile is not used again, and nothing is
// left running: HostClient's janitor outlives the last connection by MaxIdleConnDuration.
type httpConn struct {
	dialer *dialer
	onRead func() // called when something comes, may be nil

	mu    sync.Mutex
	conn  net.Conn // the idle connection, nil while a request uses it
	timer *time.Timer

	check conncheck.Poll
	first [1]byte
}

// keepAlive is how long an unused connection is kept. Servers end theirs after 5 s and more; a POST into
// that moment would be lost.
const keepAlive = 3 * time.Second

// exchange sends r, waits for the response, within timeout unless that is 0, and hands it to use. A body of more
// than limit bytes is errTooLong. Nothing is ever repeated.
func (h *httpConn) exchange(ctx context.Context, r *fasthttp.Request, timeout time.Duration, limit int,
	use func(*fasthttp.Response) error,
) error {
	c := h.takeIdle()
	if c == nil {
		var err error
		if c, err = h.dialer.dial(ctx); err != nil {
			return contextCause(ctx, err)
		}
	}
	stop := context.AfterFunc(ctx, func() { abort(c) })
	response, reusable, err := h.roundTrip(c, r, timeout, limit)
	if response != nil {
		defer fasthttp.ReleaseResponse(response)
	}
	if !stop() || !reusable || err != nil {
		abort(c)
	} else {
		h.keepIdle(c)
	}
	if err != nil {
		return contextCause(ctx, err)
	}
	return use(response)
}

var (
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, headerSize) }}
)

// headerSize is the most that the header of a response to long-polling may take, in bytes.
const headerSize = 16 << 10

// roundTrip does the exchange on c, and reports whether c can be used for another one.
func (h *httpConn) roundTrip(c net.Conn, r *fasthttp.Request, timeout time.Duration, limit int,
) (_ *fasthttp.Response, reusable bool, err error) {
	var deadline time.Time
	if timeout > 0 {
		deadline = time.Now().Add(timeout)
	}
	if err := c.SetDeadline(deadline); err != nil {
		return nil, false, err
	}
	w := writers.Get().(*bufio.Writer)
	w.Reset(c)
	if err = r.Write(w); err == nil {
		err = w.Flush()
	}
	w.Reset(nil)
	writers.Put(w)
	if err != nil {
		return nil, false, err
	}
	// A poll may wait here for half a minute: it holds no buffer before there is something to put in.
	if _, err = io.ReadFull(c, h.first[:]); err != nil {
		return nil, false, noAnswer(err)
	}
	b := readers.Get().(*bufio.Reader)
	defer func() {
		b.Reset(nil)
		readers.Put(b)
	}()
	b.Reset(&firstByteReader{h: h, conn: c})
	response := fasthttp.AcquireResponse()
	if err = response.ReadLimitBody(b, limit); err != nil {
		fasthttp.ReleaseResponse(response)
		if errors.Is(err, fasthttp.ErrBodyTooLarge) {
			err = errTooLong
		}
		return nil, false, err
	}
	return response, !response.ConnectionClose() && b.Buffered() == 0, nil
}

func noAnswer(err error) error {
	if err == io.EOF {
		return fmt.Errorf("the server closed the connection instead of answering: %w", err)
	}
	return err
}

// firstByteReader reads the byte that was read already, then the connection.
type firstByteReader struct {
	h    *httpConn
	conn net.Conn
	done bool
}

func (p *firstByteReader) Read(b []byte) (int, error) {
	if !p.done && len(b) > 0 {
		p.done = true
		return copy(b, p.h.first[:]), nil
	}
	if p.h.onRead != nil {
		p.h.onRead()
	}
	return p.conn.Read(b)
}

// takeIdle returns the idle connection if it is still good.
func (h *httpConn) takeIdle() net.Conn {
	h.mu.Lock()
	c := h.conn
	h.conn = nil
	if h.timer != nil {
		h.timer.Stop()
	}
	h.mu.Unlock()
	if c != nil && h.check.Gone(c) {
		abort(c)
		return nil
	}
	return c
}

func (h *httpConn) keepIdle(c net.Conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.conn = c
	if h.timer == nil {
		h.timer = time.AfterFunc(keepAlive, h.close)
	} else {
		h.timer.Reset(keepAlive)
	}
}

// close closes the connection if no request uses it. It may be opened again by the next one.
func (h *httpConn) close() {
	h.mu.Lock()
	c := h.conn
	h.conn = nil
	if h.timer != nil {
		h.timer.Stop()
	}
	h.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
}
