package engineio

import (
	"errors"
	"net"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/ws"
)

// What was broken once, and has no better place.

// Nobody has heard of a session whose handshake was refused: it does not wait for a last GET.
func TestRefusedHandshakeLeavesNothing(t *testing.T) {
	for name, refuse := range map[string]func(s *Session) error{
		"an error":            func(*Session) error { return errors.New("no") },
		"a RequestError":      func(*Session) error { return &RequestError{Status: 401} },
		"a panic":             func(*Session) error { panic("oops") },
		"CloseNow":            func(s *Session) error { s.CloseNow(); return nil },
		"CloseNow, an error":  func(s *Session) error { s.CloseNow(); return errors.New("no") },
		"a ping and an error": func(s *Session) error { return errors.Join(s.SetPing(time.Hour, time.Hour), errors.New("no")) },
	} {
		t.Run(name, func(t *testing.T) { leavesNothing(t, refuse) })
	}
}

// Nor does one that the application closes in good order in OnHandshake: there is nothing to say, and nobody to.
func TestHandshakeClosedInGoodOrderLeavesNothing(t *testing.T) {
	for name, refuse := range map[string]func(s *Session) error{
		"Close":           func(s *Session) error { s.Close(); return nil },
		"Close, an error": func(s *Session) error { s.Close(); return errors.New("no") },
	} {
		t.Run(name, func(t *testing.T) { leavesNothing(t, refuse) })
	}
}

func leavesNothing(t *testing.T, refuse func(s *Session) error) {
	var refused *Session
	srv := newTestServer(Config{
		OnHandshake:  func(s *Session, _ *fasthttp.RequestCtx) error { refused = s; return refuse(s) },
		OnConnect:    func(*Session) { t.Error("OnConnect") },
		OnDisconnect: func(*Session, *CloseError) { t.Error("OnDisconnect") },
	})
	if status := visit(t, srv, "GET", handshake4).Response.StatusCode(); status < 400 {
		t.Errorf("answered %d", status)
	}
	settled(t, srv)
	if srv.registry.get([]byte(refused.id)) != nil || srv.places.count() != 0 || !refused.isClosed() {
		t.Errorf("it is findable, counted (%d) or open", srv.places.count())
	}
	if refused.beat.timer.Stop() {
		t.Error("its timer runs")
	}
	if status := visit(t, srv, "GET", handshake4+"&sid="+refused.id).Response.StatusCode(); status != 400 {
		t.Errorf("a GET for it is answered %d", status)
	}
}

// Close, and then CloseNow: the session is closed at once and what is queued is dropped, but the client is told
// the end, and told once.
func TestCloseThenCloseNowOnPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, parked := range []bool{false, true} {
			told := 0
			srv := newTestServer(Config{OnDisconnect: func(_ *Session, why *CloseError) {
				if told++; why.Reason != ReasonServerClose || why.Err != nil {
					t.Errorf("OnDisconnect: %v, %v", why.Reason, why.Err)
				}
			}})
			s := openPolling(t, srv, V4)
			var poll <-chan string
			if parked {
				poll = parking(s)
			} else {
				_ = s.SendText("dropped")
			}
			s.Close()
			s.CloseNow()
			if !s.isClosed() || s.Context().Err() == nil || reasonOf(t, s) != ReasonServerClose {
				t.Error("the session is not closed")
			}
			if !parked {
				poll = parking(s)
			}
			if body := <-poll; body != "1" {
				t.Errorf("parked %v: the last GET has %q", parked, body)
			}
			s.CloseNow()
			s.Close()
			if status, body := get(s); status != 400 {
				t.Errorf("parked %v: the last word is said twice: %q", parked, body)
			}
			synctest.Wait()
			if told != 1 || srv.registry.get([]byte(s.id)) != nil || s.beat.timer.Stop() {
				t.Errorf("parked %v: told %d times, or the session is findable, or its timer runs", parked, told)
			}
		}
	})
}

func TestCloseThenCloseNowOnWebSocket(t *testing.T) {
	for name, c := range map[string]struct {
		corked bool // one write has the message and the last word
		want   []string
	}{
		"queued":  {false, []string{"1 4on its way", "8 1000 "}},
		"written": {true, []string{"1 4on its way", "1 4behind", "8 1000 "}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
				server, client := net.Pipe()
				conn := &hanging{guard: newGuard(t, server), gate: make(chan struct{})}
				p := serveConn(t, conn, client, newWebSocket(s).serve)
				p.next(t)
				synctest.Wait()
				conn.hang()
				if c.corked {
					s.out.cork()
				}
				_ = s.SendText("on its way")
				synctest.Wait() // in a write, unless corked
				_ = s.SendText("behind")
				s.Close()
				if c.corked {
					s.uncork()
				}
				synctest.Wait()
				s.CloseNow()
				if !s.isClosed() || s.Context().Err() == nil || reasonOf(t, s) != ReasonServerClose {
					t.Error("the session is not closed")
				}
				close(conn.gate)
				p.expect(t, c.want...)
				p.sendFrame(8, []byte{3, 232})
				p.expect(t, "end")
				p.close()
			})
		})
	}
}

// A write that is stuck when the session ends has CloseTimeout to come through, whoever ended it and how often.
func TestStuckWriteAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Session){
		"CloseNow":              (*Session).CloseNow,
		"Close":                 (*Session).Close,
		"Close, CloseNow":       func(s *Session) { s.Close(); s.CloseNow() },
		"Close, later CloseNow": func(s *Session) { s.Close(); time.Sleep(time.Second); s.CloseNow() },
		"CloseNow, Close":       func(s *Session) { s.CloseNow(); s.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTestSession(t, newTestServer(Config{CloseTimeout: 2 * time.Second, WriteTimeout: time.Minute}), V4, WebSocket)
				server, client := net.Pipe()
				left := make(chan struct{})
				go func() { defer close(left); hijack(t, newGuard(t, server), newWebSocket(s).serve) }()
				if _, _, err := readFrame(client); err != nil {
					t.Fatal(err)
				}
				_ = s.SendText("stuck")
				synctest.Wait()
				start := time.Now()
				end(s)
				<-left
				if d := time.Since(start); d > 3*time.Second+lastTryTime {
					t.Errorf("the connection goes after %v", d)
				}
				untilEnd(t, s, ReasonServerClose)
				_ = client.Close()
			})
		})
	}
}

// A session may end between the moment a prepared message is queued and the one when its sender writes: then there
// is nothing to take but the last word.
func TestSendPreparedMeetsTheEnd(t *testing.T) {
	server, client := loopback(t)
	s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
	w := newWebSocket(s)
	w.setConn(server, nil)
	s.out.cork()
	if err := s.connect(w); err != nil {
		t.Fatal(err)
	}
	w.uncork()
	t.Cleanup(func() { s.out.uncork(); s.CloseNow() })
	s.out.cork()
	_ = s.SendPrepared(PrepareText("late"))
	s.out.mu.Lock()
	s.out.state = outAborted
	s.out.dropQueue()
	s.out.mu.Unlock()
	w.send()
	s.out.waitIdle()
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	for {
		if op, _, err := readFrame(client); err != nil {
			t.Fatalf("no close frame: %v", err)
		} else if op == ws.Close {
			return
		}
	}
}

// What leaves together with the last word has CloseTimeout too.
func TestStuckLastWord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSession(t, newTestServer(Config{CloseTimeout: 2 * time.Second, WriteTimeout: time.Minute}), V4, WebSocket)
		server, client := net.Pipe()
		w, left := newWebSocket(s), make(chan struct{})
		go func() { defer close(left); hijack(t, newGuard(t, server), w.serve) }()
		if _, _, err := readFrame(client); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		s.out.cork()
		_ = s.SendText("stuck")
		s.Close()
		start := time.Now()
		w.uncork() // nobody reads
		<-left
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("the connection goes after %v", d)
		}
		untilEnd(t, s, ReasonServerClose)
		_ = client.Close()
	})
}

// Nothing is compressed for a client that has gone: it would hold up others.
func TestNothingIsCompressedForAClientThatHasGone(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("conncheck sees less on other systems; its own tests say what")
	}
	for name, n := range map[string]int{"compressible": 5000, "below the threshold": 10} {
		t.Run(name, func(t *testing.T) {
			server, client := loopback(t)
			s := openPolling(t, newTestServer(Config{}), V4)
			_ = client.Close()
			for deadline := time.Now().Add(10 * time.Second); !s.poll.parked.Gone(server); runtime.Gosched() {
				if time.Now().After(deadline) {
					t.Fatal("the FIN does not arrive")
				}
			}
			_ = s.SendText(strings.Repeat("x", n))
			ctx := new(fasthttp.RequestCtx)
			ctx.Init2(server, nil, false)
			ctx.Request.Header.Set("Accept-Encoding", "gzip")
			s.poll.serve(ctx, nil)
			coding, body := string(ctx.Response.Header.Peek("Content-Encoding")), ctx.Response.Body()
			if n < 1024 { // looking costs a system call, which is more than the answer does
				if string(body) != "4"+strings.Repeat("x", n) || s.isClosed() {
					t.Errorf("answered %q", body)
				}
				s.CloseNow()
				return
			}
			if coding != "" || len(body) > 0 || !ctx.Response.ConnectionClose() {
				t.Errorf("answered with %d bytes, coding %q, Connection: close %v", len(body), coding, ctx.Response.ConnectionClose())
			}
			if r := reasonOf(t, s); r != ReasonTransportClose || !errors.Is(s.err, errPollAborted) {
				t.Errorf("ended with %v, %v", r, s.err)
			}
			if err := s.Flush(t.Context()); !errors.Is(err, ErrClosed) {
				t.Errorf("Flush: %v, though the message is lost", err)
			}
		})
	}
}

// loopback returns the ends of a TCP connection.
func loopback(t testing.TB) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	if client, err = net.Dial("tcp4", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close(); _ = client.Close() })
	return server, client
}
