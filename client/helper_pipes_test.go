package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	gorilla "github.com/fasthttp/websocket"
)

// pipes is a server at the other end of net.Pipe, for tests on a fake clock. It opens sessions and then
// says nothing: polls are never answered, POSTs are.
type pipes struct {
	down  bool // refuse connections
	mu    sync.Mutex
	heard []string // POST bodies and WebSocket messages
	conns []net.Conn
	tasks sync.WaitGroup
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.down {
		return nil, errors.New("down")
	}
	ours, theirs := net.Pipe()
	p.conns = append(p.conns, theirs)
	p.tasks.Go(func() { p.serve(theirs) })
	return ours, nil
}

// fall breaks all connections and refuses new ones until it is told otherwise.
func (p *pipes) fall(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

func (p *pipes) note(what string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, what)
}

const openSilent = `0{"sid":"x","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`

func (p *pipes) serve(c net.Conn) {
	defer c.Close()
	r := bufio.NewReader(c)
	for {
		request, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(request.Body)
		open := openSilent
		if request.URL.Query().Get("EIO") == "3" {
			open = "88:" + open
		}
		switch {
		case request.Header.Get("Upgrade") != "":
			p.webSocket(c, request)
			return
		case request.Method == http.MethodPost:
			p.note(string(body))
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
		case request.URL.Query().Get("sid") == "":
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: "+itoa(len(open))+"\r\n\r\n"+open)
		default:
			_, _ = r.ReadByte() // until the client gives up
			return
		}
	}
}

// webSocket answers the handshake by hand, so that the clock of the bubble is the only one.
func (p *pipes) webSocket(c net.Conn, request *http.Request) {
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: "+acceptKey(request.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
	ws, err := serverSide(c)
	if err != nil {
		return
	}
	_ = ws.WriteMessage(gorilla.TextMessage, []byte(openSilent))
	for {
		_, message, err := ws.ReadMessage()
		if err != nil {
			return
		}
		p.note(string(message))
	}
}
