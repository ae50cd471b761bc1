package client_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gorilla "github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/client"
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

func TestSilentServer(t *testing.T) {
	inEachMode(t, func(t *testing.T, m mode) {
		synctest.Test(t, func(t *testing.T) {
			p := &pipes{}
			start := time.Now()
			o := m.options()
			o.DialContext = p.dial
			o.Logger = quiet
			c, err := client.Dial(t.Context(), "http://127.0.0.1/", o)
			must(t, err)
			<-c.Context().Done()
			if got := time.Since(start); got != 45*time.Second {
				t.Errorf("noticed after %v, want 45s", got)
			}
			var why *client.CloseError
			if !errors.As(context.Cause(c.Context()), &why) || why.Reason != client.ReasonPingTimeout {
				t.Errorf("ended with %v", context.Cause(c.Context()))
			}
			p.tasks.Wait()
			want := ""
			if m.revision == client.V3 {
				want = "2"
				if m.transports[0] == client.Polling {
					want = "1:2"
				}
			}
			if got := strings.Join(p.heard, " "); got != want {
				t.Errorf("the server heard %q, want %q", got, want)
			}
		})
	})
}

func TestReconnectWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		var starts []time.Duration
		var failed []error
		var lost time.Time
		again := make(chan struct{})
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{
			DialContext: p.dial, Logger: quiet, Transports: polling,
			Reconnect: &client.ReconnectOptions{
				Jitter: -1, MaxBackoff: 10 * time.Second,
				OnAttempt: func(a client.Attempt) error {
					if a.Number != len(starts)+1 {
						t.Errorf("attempt %d, want %d", a.Number, len(starts)+1)
					}
					starts = append(starts, time.Since(lost)+a.Wait)
					failed = append(failed, a.Err)
					if a.Number == 6 {
						p.fall(false)
					}
					return nil
				},
				OnReconnect: func(*client.Client) { close(again) },
			},
		})
		must(t, err)
		synctest.Wait()
		lost = time.Now()
		p.fall(true)
		synctest.Wait()
		must(t, c.SendText(t.Context(), "meanwhile"))
		<-again
		must(t, c.Flush(t.Context()))
		want := []time.Duration{1, 3, 7, 15, 25, 35}
		for i, w := range want {
			if i >= len(starts) || starts[i] != w*time.Second {
				t.Errorf("attempts begin at %v, want %v", starts, want)
				break
			}
		}
		var why *client.CloseError
		if !errors.As(failed[0], &why) || why.Reason != client.ReasonTransportClose || errors.As(failed[1], &why) {
			t.Errorf("the reasons are %v", failed)
		}
		if got := strings.Join(p.heard, " "); got != "4meanwhile" {
			t.Errorf("the server heard %q", got)
		}
		c.CloseNow()
		p.tasks.Wait()
	})
}

func TestReconnectGivesUp(t *testing.T) {
	enough := errors.New("enough")
	for name, r := range map[string]client.ReconnectOptions{
		"by number":   {MaxAttempts: 4, RefuseSends: true},
		"by callback": {OnAttempt: func(a client.Attempt) error { return map[bool]error{true: enough}[a.Number == 5] }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := &pipes{}
				c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{DialContext: p.dial, Logger: quiet, Reconnect: &r})
				must(t, err)
				start := time.Now()
				p.fall(true)
				synctest.Wait()
				err = c.SendText(t.Context(), "x")
				if want := map[bool]error{true: client.ErrNotConnected}[r.RefuseSends]; !errors.Is(err, want) {
					t.Errorf("send: %v, want %v", err, want)
				}
				<-c.Context().Done()
				if took := time.Since(start); took < 7*time.Second || took > 23*time.Second { // 15 s, jitter
					t.Errorf("gave up after %v", took)
				}
				if r.OnAttempt != nil && !errors.Is(context.Cause(c.Context()), enough) {
					t.Errorf("ended with %v", context.Cause(c.Context()))
				}
				p.tasks.Wait()
			})
		})
	}
}

func TestCloseBetweenSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{}
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{DialContext: p.dial, Logger: quiet, Reconnect: &client.ReconnectOptions{}})
		must(t, err)
		p.fall(true)
		synctest.Wait()
		must(t, c.SendText(t.Context(), "x"))
		start := time.Now()
		if err := c.Close(); err == nil || !strings.Contains(err.Error(), "1 messages") {
			t.Errorf("Close: %v", err)
		}
		if time.Since(start) != 0 {
			t.Errorf("took %v", time.Since(start))
		}
		p.tasks.Wait()
	})
}

// Close gives a server that does not answer CloseTimeout, not more.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			_, _ = http.ReadRequest(bufio.NewReader(theirs))
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: "+itoa(len(openSilent))+"\r\n\r\n"+openSilent)
		}()
		first := true
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{Transports: polling, Logger: quiet,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if first {
					first = false
					return ours, nil
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		must(t, err)
		must(t, c.SendText(t.Context(), "x"))
		start := time.Now()
		if err := c.Close(); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v, want an error after 5s", err, time.Since(start))
		}
		<-served
		_ = theirs.Close()
	})
}
