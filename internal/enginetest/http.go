package enginetest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
)

// HTTP is one keep-alive connection of an HTTP client. It belongs to one goroutine; others
// may call Close, Reset and HalfClose.
type HTTP struct {
	server *Server
	reader *bufio.Reader

	mu     sync.Mutex
	conn   net.Conn // nil between requests when there is none to keep
	closed bool
}

// Response is an answer with its body.
type Response struct {
	Status int         // of HTTP
	Header http.Header // of the response
	Body   []byte      // all of it
	Length int64       // what Content-Length says, -1 without one
	Close  bool        // the connection ends with it
}

// HTTP makes a client connection. It dials with the first request.
func (s *Server) HTTP() *HTTP { return &HTTP{server: s} }

// Do sends a request and waits for the answer. Headers are given as "Name: value"; a body brings
// its Content-Length.
func (h *HTTP) Do(method, uri string, body []byte, header ...string) (*Response, error) {
	if err := h.Write(h.server.Request(method, uri, body, header...)); err != nil {
		return nil, err
	}
	return h.Read(method)
}

// Request is the text of a request to this server, with names in lower case if its clients write them so.
func (s *Server) Request(method, uri string, body []byte, header ...string) []byte {
	text := Request(method, uri, s.Addr, body, header...)
	if s.lowerCase {
		lowerNames(text)
	}
	return text
}

// Request is the text of a request.
func Request(method, uri, host string, body []byte, header ...string) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", method, uri, host)
	for _, line := range header {
		b.WriteString(line + "\r\n")
	}
	if body != nil {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	}
	b.WriteString("\r\n")
	return append([]byte(b.String()), body...)
}

// Write sends bytes, whatever they are.
func (h *HTTP) Write(b []byte) error {
	c, err := h.Conn()
	if err != nil {
		return err
	}
	_, err = c.Write(b)
	return err
}

// Conn is the connection, dialed if there is none.
func (h *HTTP) Conn() (net.Conn, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, net.ErrClosed
	}
	if h.conn == nil {
		c, err := h.server.Dial()
		if err != nil {
			return nil, err
		}
		h.conn, h.reader = c, bufio.NewReader(c)
	}
	return h.conn, nil
}

// Read waits for the answer to a request of that method.
func (h *HTTP) Read(method string) (*Response, error) {
	if h.reader == nil {
		return nil, errors.New("enginetest: no request was sent")
	}
	r, err := http.ReadResponse(h.reader, &http.Request{Method: method})
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if r.Close {
		h.hangUp()
	}
	return &Response{Status: r.StatusCode, Header: r.Header, Body: body, Length: r.ContentLength, Close: r.Close}, nil
}

func (h *HTTP) hangUp() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn != nil {
		_ = h.conn.Close()
		h.conn = nil
	}
}

// Close closes the connection for good.
func (h *HTTP) Close() { h.end(func(c net.Conn) { _ = c.Close() }) }

// Reset closes it with a TCP reset.
func (h *HTTP) Reset() { h.end(Reset) }

func (h *HTTP) end(how func(net.Conn)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	if h.conn != nil {
		how(h.conn)
		h.conn = nil
	}
}

// HalfClose sends a FIN.
func (h *HTTP) HalfClose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.conn != nil {
		HalfClose(h.conn)
	}
}
