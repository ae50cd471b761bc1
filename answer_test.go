package engineio

import (
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/enginetest"
)

// largeAnswer is the size of a body that is a delivery.
const largeAnswer = 100 << 10

// answering begins a large answer of s, whose end is a Reset of the request.
func answering(t *testing.T, s *Session) *response {
	t.Helper()
	r := &response{ctx: new(fasthttp.RequestCtx), body: make([]byte, largeAnswer)}
	s.poll.countResponse(r)
	if !s.poll.delivering() {
		t.Fatal("a large answer is no delivery")
	}
	return r
}

// What an answer holds counts until the HTTP server has written it.
func TestAnswerIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxQueuedBytesTotal: largeAnswer})
		s, other := openPolling(t, srv, V4), openPolling(t, srv, V4)
		r := answering(t, s)
		if used := srv.queued.used.Load(); used != largeAnswer {
			t.Errorf("%d bytes are counted, want %d", used, largeAnswer)
		}
		_ = other.SendText(strings.Repeat("x", alwaysQueueable-10))
		if err := other.SendText("more"); err != ErrQueueFull {
			t.Errorf("a send above MaxQueuedBytesTotal: %v", err)
		}
		r.ctx.Request.Reset()
		r.ctx.Request.Reset()
		if err := other.SendText("more"); err != nil {
			t.Errorf("when the answer has left: %v", err)
		}
		shut(srv)
		synctest.Wait()
		queuedBy(t, srv, "the end")
	})
}

// A GET in the middle of the answer to another waits for its end.
func TestGetWaitsForTheAnswerBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		s := openPolling(t, srv, V4)
		r := answering(t, s)
		_ = s.SendText("next")
		answered := make(chan string, 1)
		go func() {
			_, body := get(s)
			answered <- body
		}()
		time.Sleep(overlapTime - 1)
		synctest.Wait()
		if len(answered) > 0 {
			t.Errorf("answered %q in the middle of an answer", <-answered)
		}
		r.ctx.Request.Reset()
		if body := <-answered; body != "4next" {
			t.Errorf("answered %q", body)
		}
		time.Sleep(time.Second)
		if s.over.Load() {
			t.Errorf("ended with %v", reasonOf(t, s))
		}
		shut(srv)
	})
}

// It does not wait for ever: a client that asks on and reads nothing has come to the end. Its place is free when its
// answer has gone.
func TestGetDuringAnAnswerIsAnOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxSessions: 1})
		s := openPolling(t, srv, V4)
		r := answering(t, s)
		_ = s.SendText("next")
		start := time.Now()
		if _, body := get(s); body != "1" || time.Since(start) != overlapTime {
			t.Errorf("answered %q after %v", body, time.Since(start))
		}
		if r := reasonOf(t, s); r != ReasonTransportError {
			t.Errorf("ended with %v", r)
		}
		if c := visit(t, srv, "GET", handshake4); c.Response.StatusCode() != 503 || srv.places.count() != 1 {
			t.Errorf("while its answer is there a handshake is answered %d", c.Response.StatusCode())
		}
		r.ctx.Request.Reset()
		if c := visit(t, srv, "GET", handshake4); c.Response.StatusCode() != 200 {
			t.Errorf("after it a handshake is answered %d", c.Response.StatusCode())
		}
	})
}

// However often an answer is large, only one that takes its time is an excuse for a pong that does not come.
func TestQuickAnswersAreNoExcuse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		if _, body := get(s); body != "2" {
			t.Fatalf("got %q, want a ping", body)
		}
		start := time.Now()
		for !s.isClosed() && time.Since(start) < 5*timeout {
			answering(t, s).ctx.Request.Reset()
			time.Sleep(time.Second / 2)
		}
		if d := time.Since(start); d > timeout+time.Second {
			t.Errorf("lived for %v without a pong", d)
		}
	})
}

// An answer to a session that has ended leaves within CloseTimeout, whether the end comes before it is sent or after.
func TestAnswerOfASessionThatEnds(t *testing.T) {
	for _, before := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			const closeTimeout = time.Second
			srv := newTestServer(Config{CloseTimeout: closeTimeout, WriteTimeout: time.Hour})
			s := openPolling(t, srv, V4)
			server, client := net.Pipe()
			defer client.Close()
			r := answering(t, s)
			if before {
				s.CloseNow()
			}
			r.delivery.setDeadline(server, time.Hour)
			if !before {
				s.CloseNow()
			}
			start := time.Now()
			if _, err := server.Write(r.body); err == nil || time.Since(start) != closeTimeout {
				t.Errorf("%v after %v", err, time.Since(start))
			}
			if srv.places.count() != 1 {
				t.Errorf("%d sessions while the answer is there", srv.places.count())
			}
			r.ctx.Request.Reset()
			if srv.places.count() != 0 {
				t.Errorf("%d sessions after it", srv.places.count())
			}
			queuedBy(t, srv, "after it")
			shut(srv)
		})
	}
}

// A session that ended while its answer was made takes a place for it.
func TestAnswerAfterTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		s := openPolling(t, srv, V4)
		s.CloseNow()
		r := answering(t, s)
		if srv.places.count() != 1 {
			t.Errorf("%d sessions", srv.places.count())
		}
		r.ctx.Request.Reset()
		if srv.places.count() != 0 {
			t.Errorf("%d sessions after it", srv.places.count())
		}
		shut(srv)
		settled(t, srv)
	})
}

// What is left of a large body that compresses does not hold its memory, and nobody waits for it.
func TestCompressedAnswerHoldsWhatItIs(t *testing.T) {
	for name, query := range map[string]string{"payload": handshake4, "JSONP": handshake4 + "&j=0"} {
		t.Run(name, func(t *testing.T) {
			srv := newTestServer(Config{OnConnect: func(s *Session) { _ = s.SendText(strings.Repeat("x", 1<<20)) }})
			ctx := visit(t, srv, "GET", query, "Accept-Encoding: gzip", "Referer: http://example.com/")
			body := ctx.Response.Body()
			if ctx.Response.StatusCode() != 200 || string(ctx.Response.Header.Peek("Content-Encoding")) != "gzip" {
				t.Fatalf("answered %d, %q", ctx.Response.StatusCode(), ctx.Response.Header.String())
			}
			if len(body) > keepBody || cap(body) > keepBody {
				t.Errorf("%d bytes hold %d", len(body), cap(body))
			}
			if onlySession(t, srv).poll.delivering() {
				t.Error("it is a delivery")
			}
			queuedBy(t, srv, "after it")
		})
	}
}

// The first answer counts too, with what InitialMessage and OnConnect put into it, until it is read or given up.
func TestFirstAnswerIsCounted(t *testing.T) {
	const size = 8 << 20 // more than the sockets of both ends take in
	half := Message{Data: []byte(strings.Repeat("x", size/2))}
	srv := newTestServer(Config{
		InitialMessage: &half, MaxQueuedBytes: 2 * size, DisableCompression: true,
		OnConnect: func(s *Session) { _ = s.Send(half, 0) },
	})
	server := enginetest.Start(t, srv.Handler(nil), enginetest.Options{})
	c, err := net.Dial("tcp", server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.(*net.TCPConn).SetReadBuffer(64 << 10)
	if _, err := c.Write(enginetest.Request("GET", "/engine.io/?"+handshake4, server.Addr, nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil { // it is being written
		t.Fatal(err)
	}
	if used := srv.queued.used.Load(); used < size {
		t.Errorf("%d bytes are counted of %d", used, size)
	}
	s := onlySession(t, srv)
	s.CloseNow()
	if srv.places.count() != 1 {
		t.Errorf("%d sessions while the answer is there", srv.places.count())
	}
	_ = c.Close()
	settled(t, srv)
	if srv.places.count() != 0 {
		t.Errorf("%d sessions after it", srv.places.count())
	}
	queuedBy(t, srv, "after it")
	shut(srv)
}

// What is compressed for a WebSocket counts while it is written.
func TestDeflatedCopyIsCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		s, client, left := unread(t, srv, true)
		shared := Prepare(Message{Data: []byte(strings.Repeat("x", 1<<19))}, NoCompress) // nothing of which counts but the copy
		if err := s.SendPrepared(shared); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if used := srv.queued.used.Load(); used < 1<<19 {
			t.Errorf("%d bytes are counted", used)
		}
		_ = client.Close()
		<-left
		queuedBy(t, srv, "after")
		shut(srv)
	})
}
