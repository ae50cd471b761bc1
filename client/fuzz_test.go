package client

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fasteio/engineio/codec"
)

// FuzzOpenPacket gives a handshake's JSON to a session. What is believed of it is within bounds.
func FuzzOpenPacket(f *testing.F) {
	f.Add([]byte(`{"sid":"a","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := &session{c: &Client{o: Options{Revision: V4, Logger: slog.New(slog.DiscardHandler)}}}
		err := s.handshake(codec.Packet{Type: codec.Open, Data: data})
		if err != nil {
			if !errors.Is(err, errNoOpen) || s.id != "" {
				t.Fatalf("%v, id %q", err, s.id)
			}
			return
		}
		if s.id == "" || len(s.id) > 1<<10 || s.maxPayload < 0 || s.maxPayload > 1<<30 {
			t.Fatalf("id %q, maxPayload %d", s.id, s.maxPayload)
		}
		if s.interval < 0 || s.interval > maxPeriod || s.timeout < 0 || s.timeout > maxPeriod {
			t.Fatalf("a heartbeat of %v and %v", s.interval, s.timeout)
		}
		uri := (&target{baseURI: "/?EIO=4"}).requestURI(Polling, s.id)
		if _, err := http.ReadRequest(bufio.NewReader(bytes.NewReader([]byte("GET " + uri + " HTTP/1.1\r\nHost: a\r\n\r\n")))); err != nil {
			t.Fatalf("the id makes the request target %q: %v", uri, err)
		}
	})
}

// FuzzRefusal gives a body to the reading of refusals. It never fails, and the message is text of a bounded
// size.
func FuzzRefusal(f *testing.F) {
	f.Add([]byte(`{"code":1,"message":"Session ID unknown"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := parseRefusal(400, http.Header{"Location": {string(body)}}.Get, body)
		if e.Status != 400 || !utf8.ValidString(e.Message) || len(e.Message) > 3*maxMessage || e.Error() == "" {
			t.Fatalf("%+v", e)
		}
	})
}

// FuzzPollingServer gives a client what servers say on its connections, the first gets it all. The client
// ends, with an error of its kind, and what it has read is within ReadLimit.
func FuzzPollingServer(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n0{\"sid\":\"a\"}"), false)
	f.Fuzz(func(t *testing.T, said []byte, old bool) { visit(t, Polling, said, old) })
}

// FuzzWebSocketServer is the same for what follows the 101 of a WebSocket.
func FuzzWebSocketServer(f *testing.F) {
	f.Add([]byte("\x81\x0c0{\"sid\":\"a\"}"), false)
	f.Fuzz(func(t *testing.T, said []byte, old bool) { visit(t, WebSocket, said, old) })
}

const fuzzLimit = 4 << 10

// visit is the life of a client whose server is a recording.
func visit(t *testing.T, transport Transport, said []byte, old bool) {
	var once sync.Once
	dial := func(context.Context, string, string) (net.Conn, error) {
		err := errors.New("there was one connection")
		var c net.Conn
		once.Do(func() { c, err = newRecording(transport, said), nil })
		return c, err
	}
	o := Options{
		Transports: []Transport{transport}, ReadLimit: fuzzLimit, DialContext: dial, Proxy: http.ProxyURL(nil),
		RequestTimeout: 10 * time.Second, Logger: slog.New(slog.DiscardHandler), PerMessageDeflate: true,
	}
	if old {
		o.Revision = V3
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := Dial(ctx, "http://127.0.0.1/", &o)
	if err != nil {
		if ctx.Err() != nil {
			t.Fatal("Dial hangs")
		}
		return
	}
	defer c.CloseNow()
	for {
		m, err := c.Read(ctx)
		var why *CloseError
		switch {
		case errors.As(err, &why) && errors.Is(err, ErrClosed) && why.Reason != 0:
			return
		case err != nil:
			t.Fatalf("ended with %v", err)
		case len(m.Data) > fuzzLimit, !m.Binary && !utf8.Valid(m.Data):
			t.Fatalf("a message of %d bytes, binary %v: %.100q", len(m.Data), m.Binary, m.Data)
		}
	}
}

// A recording is a server's end of a connection: it says what it has to say once it has been asked, then it
// ends.
type recording struct {
	said      *bytes.Reader
	webSocket bool

	mu     sync.Mutex
	asked  chan struct{} // closed with the first write
	heard  bytes.Buffer
	closed chan struct{}
	once   sync.Once
}

func newRecording(transport Transport, said []byte) *recording {
	return &recording{said: bytes.NewReader(said), webSocket: transport == WebSocket, asked: make(chan struct{}), closed: make(chan struct{})}
}

func (r *recording) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := r.heard.Len() == 0
	r.heard.Write(b)
	if first {
		r.begin()
		close(r.asked)
	}
	return len(b), nil
}

// begin puts the 101 in front of what a WebSocket says.
func (r *recording) begin() {
	if !r.webSocket {
		return
	}
	request, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.heard.Bytes())))
	if err != nil {
		return
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	rest, _ := io.ReadAll(r.said)
	r.said = bytes.NewReader(fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n%s", base64.StdEncoding.EncodeToString(sum[:]), rest))
}

func (r *recording) Read(b []byte) (int, error) {
	select {
	case <-r.asked:
	case <-r.closed:
		return 0, os.ErrClosed
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.said.Read(b)
}

func (r *recording) Close() error                     { r.once.Do(func() { close(r.closed) }); return nil }
func (r *recording) LocalAddr() net.Addr              { return &net.TCPAddr{} }
func (r *recording) RemoteAddr() net.Addr             { return &net.TCPAddr{} }
func (r *recording) SetDeadline(time.Time) error      { return nil }
func (r *recording) SetReadDeadline(time.Time) error  { return nil }
func (r *recording) SetWriteDeadline(time.Time) error { return nil }
