package engineio

import (
	"crypto/tls"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// An application tests its handlers in synctest bubbles, and outside of them in the same process. What a session
// borrows from the process must not belong to a bubble: Go ends a process that uses a bubble's channel or timer elsewhere.
func TestBubbles(t *testing.T) {
	for name, use := range map[string]func(t *testing.T){
		"polling, compressed":             pollCompressed,
		"polling on a socket":             parkOnSocket,
		"WebSocket on a socket":           func(t *testing.T) { overSocket(t, false, Config{}) },
		"WebSocket on TLS":                func(t *testing.T) { overSocket(t, true, Config{}) },
		"WebSocket on TLS, deflated":      func(t *testing.T) { overSocket(t, true, Config{PerMessageDeflate: true}) },
		"WebSocket, concurrent callbacks": func(t *testing.T) { overSocket(t, false, Config{MaxConcurrentMessages: 2}) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, use)
			use(t)
			synctest.Test(t, use)
		})
	}
}

var long = strings.Repeat("a long message ", 200)

// pollCompressed has a session's messages compressed in every coding.
func pollCompressed(t *testing.T) {
	srv := newTestServer(Config{})
	for _, coding := range []string{"zstd", "gzip", "br", "deflate"} {
		s := openPolling(t, srv, V4)
		if err := s.SendText(long); err != nil {
			t.Fatal(err)
		}
		ctx := incoming("GET", handshake4+"&sid="+s.id, "Accept-Encoding: "+coding)
		srv.ServeFastHTTP(ctx)
		if got := string(ctx.Response.Header.ContentEncoding()); ctx.Response.StatusCode() != 200 || got != coding {
			t.Errorf("answered %d in %q, want %q", ctx.Response.StatusCode(), got, coding)
		}
	}
	shut(srv)
	settled(t, srv)
}

// parkOnSocket has a poll wait for a message, and the next one for a client that leaves.
func parkOnSocket(t *testing.T) {
	server, client := loopback(t)
	srv := newTestServer(Config{})
	s := openPolling(t, srv, V4)
	for range 5 {
		s.poll.parked.Arm()
		timer := time.AfterFunc(time.Millisecond, s.poll.wake)
		if !s.poll.parked.Wait(server) {
			t.Fatal("the client has gone")
		}
		timer.Stop()
	}
	_ = client.Close()
	s.poll.parked.Arm()
	if s.poll.parked.Wait(server) {
		t.Error("the client is there")
	}
	shut(srv)
	settled(t, srv)
}

// overSocket echoes a few messages by WebSocket.
func overSocket(t *testing.T, secure bool, c Config) {
	server, client := loopback(t)
	if secure {
		shaken := tls.Server(server, enginetest.ServerTLS(t))
		handshake := make(chan error, 1)
		go func() { handshake <- shaken.Handshake() }()
		var err error
		if client, err = enginetest.ClientTLS(client); err != nil {
			t.Fatal(err)
		}
		if err = <-handshake; err != nil {
			t.Fatal(err)
		}
		server = shaken
	}
	c.OnMessage = func(s *Session, m Message) { _ = s.SendText(string(m.Data)) }
	srv := newTestServer(c)
	w := newWebSocket(newTestSession(t, srv, V4, WebSocket))
	w.deflate = c.PerMessageDeflate
	p := &pipe{conn: client, frames: make(chan string, 100), left: make(chan struct{})}
	go func() {
		defer close(p.left)
		w.serve(hijacked(t, server, false))
		_ = server.Close()
	}()
	go p.read()
	if open := p.next(t); !strings.HasPrefix(open, `1 0{"sid":"`) {
		t.Fatalf("the session begins with %s", open)
	}
	for range 5 {
		p.send("4" + long)
		if w.deflate {
			if _, ok := <-p.frames; !ok {
				t.Fatal("no echo")
			}
			continue
		}
		p.expect(t, "1 4"+long)
	}
	p.close()
	shut(srv)
	settled(t, srv)
}
