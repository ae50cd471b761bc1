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
	conn  net.Conn // nil when there is none, or a request has it
	timer *time.Timer

	check conncheck.Poll
	first [1]byte
}

// keepAlive is how long an unused connection is kept. Servers end theirs after 5 s and more; a POST into
// that moment would be lost.
const keepAlive = 3 * time.Second

// exchange sends r, waits for the response, within timeout unless that is 0, and hands it to use. A body of more
// than limit bytes is errTooLong. Nothing is ever repeated.
func (l *httpConn) exchange(ctx context.Context, r *fasthttp.Request, timeout time.Duration, limit int,
	use func(*fasthttp.Response) error,
) error {
	c := l.takeIdle()
	if c == nil {
		var err error
		if c, err = l.dialer.dial(ctx); err != nil {
			return contextCause(ctx, err)
		}
	}
	stop := context.AfterFunc(ctx, func() { abort(c) })
	response, reusable, err := l.roundTrip(c, r, timeout, limit)
	if response != nil {
		defer fasthttp.ReleaseResponse(response)
	}
	if !stop() || !reusable || err != nil {
		abort(c)
	} else {
		l.keepIdle(c)
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
func (l *httpConn) roundTrip(c net.Conn, r *fasthttp.Request, timeout time.Duration, limit int,
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
	if _, err = io.ReadFull(c, l.first[:]); err != nil {
		return nil, false, noAnswer(err)
	}
	b := readers.Get().(*bufio.Reader)
	defer func() {
		b.Reset(nil)
		readers.Put(b)
	}()
	b.Reset(&firstByteReader{l: l, conn: c})
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
	l    *httpConn
	conn net.Conn
	done bool
}

func (p *firstByteReader) Read(b []byte) (int, error) {
	if !p.done && len(b) > 0 {
		p.done = true
		return copy(b, p.l.first[:]), nil
	}
	if p.l.onRead != nil {
		p.l.onRead()
	}
	return p.conn.Read(b)
}

// takeIdle returns the idle connection if it is still good.
func (l *httpConn) takeIdle() net.Conn {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if c != nil && l.check.Gone(c) {
		abort(c)
		return nil
	}
	return c
}

func (l *httpConn) keepIdle(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn = c
	if l.timer == nil {
		l.timer = time.AfterFunc(keepAlive, l.close)
	} else {
		l.timer.Reset(keepAlive)
	}
}

// close closes the connection if no request uses it. It may be opened again by the next one.
func (l *httpConn) close() {
	l.mu.Lock()
	c := l.conn
	l.conn = nil
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	if c != nil {
		_ = c.Close()
	}
}
