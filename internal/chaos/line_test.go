package chaos_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"

	"github.com/fasteio/engineio/internal/enginetest"
)

// A line is one keep-alive connection of an HTTP client. It belongs to one goroutine at a time; others may cut it.
type line struct {
	stack  *stack
	reader *bufio.Reader

	mu   sync.Mutex
	conn net.Conn
	cut  bool // for good
}

// A reply is an answer with its body, which is no longer compressed.
type reply struct {
	status int
	kind   string // Content-Type
	body   []byte
}

// A statusError is an answer other than 200.
type statusError struct{ *reply }

// Error names the status.
func (e statusError) Error() string { return fmt.Sprintf("status %d, body %.100q", e.status, e.body) }

func (l *line) dial() (net.Conn, error) {
	l.mu.Lock()
	c, cut := l.conn, l.cut
	l.mu.Unlock()
	if c != nil || cut {
		return c, closedIf(cut)
	}
	c, err := l.stack.dial()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cut {
		_ = c.Close()
		return nil, net.ErrClosed
	}
	l.conn, l.reader = c, bufio.NewReader(c)
	return c, nil
}

func closedIf(cut bool) error {
	if cut {
		return net.ErrClosed
	}
	return nil
}

// write sends bytes, whatever they are.
func (l *line) write(b []byte) error {
	c, err := l.dial()
	if err != nil {
		return err
	}
	_, err = c.Write(b)
	return err
}

// ask sends a request.
func (l *line) ask(method, uri string, body []byte, header ...string) error {
	return l.write(enginetest.Request(method, uri, l.stack.addr, body, header...))
}

// do sends a request and waits for the answer.
func (l *line) do(method, uri string, body []byte, header ...string) (*reply, error) {
	if err := l.ask(method, uri, body, header...); err != nil {
		return nil, err
	}
	return l.read(method, func(r io.Reader) io.Reader { return r })
}

// read waits for the answer, and reads its body through a reader of the caller's.
func (l *line) read(method string, through func(io.Reader) io.Reader) (*reply, error) {
	r, err := http.ReadResponse(l.reader, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(through(r.Body))
	if err != nil {
		return nil, err
	}
	if r.Close {
		l.hangUp(func(c net.Conn) { _ = c.Close() })
	}
	body, err = expand(body, r.Header.Get("Content-Encoding"))
	return &reply{r.StatusCode, r.Header.Get("Content-Type"), body}, err
}

var unzstd, _ = zstd.NewReader(nil, zstd.WithDecoderConcurrency(2)) // shared, it weighs

// expand undoes a Content-Encoding.
func expand(body []byte, coding string) ([]byte, error) {
	var r io.Reader
	var err error
	switch coding {
	case "":
		return body, nil
	case "zstd":
		return unzstd.DecodeAll(body, nil)
	case "gzip":
		r, err = gzip.NewReader(bytes.NewReader(body))
	case "deflate":
		r, err = zlib.NewReader(bytes.NewReader(body))
	case "br":
		r = brotli.NewReader(bytes.NewReader(body))
	default:
		err = fmt.Errorf("Content-Encoding %q", coding)
	}
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// hangUp ends the connection; the next request dials.
func (l *line) hangUp(how func(net.Conn)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn != nil {
		how(l.conn)
		l.conn = nil
	}
}

// close ends the line for good.
func (l *line) close() {
	l.mu.Lock()
	l.cut = true
	l.mu.Unlock()
	l.hangUp(func(c net.Conn) { _ = c.Close() })
}
