package engineio_test

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// hugeSize is more than the sockets of both ends take in.
const hugeSize = 8 << 20

// eachLine runs f on both stacks, plain and over TLS.
func eachLine(t *testing.T, f func(t *testing.T, on stack, o enginetest.Options)) {
	eachStack(t, func(t *testing.T, on stack) {
		for name, o := range map[string]enginetest.Options{
			"plain": {}, "TLS": {TLS: true}, "per IP": {MaxConnsPerIP: 1000}, "little memory": {ReduceMemoryUsage: true},
			"TLS, per IP": {TLS: true, MaxConnsPerIP: 1000},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				f(t, on, o)
			})
		}
	})
}

// narrow makes the client's end of a connection take little that is not read.
func narrow(t *testing.T, c net.Conn) {
	t.Helper()
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	if err := c.(*net.TCPConn).SetReadBuffer(256 << 10); err != nil {
		t.Fatal(err)
	}
}

// hugeResponse queues a text for a polling client and asks for it.
func hugeResponse(t *testing.T, e *engine, p *enginetest.Polling, size int) net.Conn {
	t.Helper()
	c, err := p.Get.Conn()
	if err != nil {
		t.Fatal(err)
	}
	narrow(t, c)
	if err := e.session(t, p).SendText(strings.Repeat("x", size)); err != nil {
		t.Fatal(err)
	}
	if err := p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)); err != nil {
		t.Fatal(err)
	}
	return c
}

// readSlowly reads hugeSize bytes, with n pauses, one behind each step, and returns how long that took.
func readSlowly(t *testing.T, c net.Conn, step, n int, pause time.Duration) time.Duration {
	t.Helper()
	start := time.Now()
	buf, got := make([]byte, 64<<10), 0
	for paused := 0; got < hugeSize; {
		k, err := c.Read(buf)
		if got += k; err != nil {
			t.Fatalf("after %d bytes and %v: %v", got, time.Since(start), err)
		}
		if paused < n && got/step > paused {
			paused++
			time.Sleep(pause)
		}
	}
	return time.Since(start)
}

// A client that asks for a large response and reads nothing of it has WriteTimeout for each 64 KiB, all together.
func TestResponseThatIsNotRead(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		const writeTimeout = 2 * time.Millisecond
		e := serve(t, on, engineio.Config{WriteTimeout: writeTimeout, DisableCompression: true}, o)
		check := e.bystander(t)
		p := e.polling(t, enginetest.Setup{})
		start := time.Now()
		c := hugeResponse(t, e, p, hugeSize)
		end := e.ended(t, engineio.ReasonStalled)
		if d := time.Since(start); d < hugeSize/(64<<10)*writeTimeout {
			t.Errorf("it was given up after %v", d)
		}
		if end.err == nil || end.reason.CloseCode() != 1008 || end.reason.Initiator() != engineio.InitiatorNetwork {
			t.Errorf("%v, close code %d, by the %v", end.err, end.reason.CloseCode(), end.reason.Initiator())
		}
		n, err := io.Copy(io.Discard, c)
		if errors.Is(err, os.ErrDeadlineExceeded) || n >= hugeSize {
			t.Errorf("the connection goes on: %d bytes, %v", n, err)
		}
		goneByPost(t, p)
		check()
	})
}

// The HTTP server's own WriteTimeout may come first. What was in the response is lost then, and the session with it.
func TestResponseThatTheServerGivesUp(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		o.WriteTimeout = time.Second
		e := serve(t, on, engineio.Config{DisableCompression: true}, o)
		p := e.polling(t, enginetest.Setup{})
		hugeResponse(t, e, p, hugeSize)
		e.ended(t, engineio.ReasonStalled)
		goneByPost(t, p)
	})
}

// One that reads on gets all, however often WriteTimeout passes.
func TestResponseThatIsReadSlowly(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		const writeTimeout = 200 * time.Millisecond // 51 s for all of it
		e := serve(t, on, engineio.Config{WriteTimeout: writeTimeout, DisableCompression: true}, o)
		p := e.polling(t, enginetest.Setup{})
		c := hugeResponse(t, e, p, hugeSize)
		if d := readSlowly(t, c, 128<<10, 64, writeTimeout/10); d < 5*writeTimeout {
			t.Errorf("all was read in %v, which is not slow", d)
		}
		if n := len(e.ends); n != 0 {
			t.Errorf("%d sessions have ended", n)
		}
	})
}

// The deadline of a large response is that response's alone.
func TestConnectionAfterALargeResponse(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		const writeTimeout, size = 500 * time.Millisecond, 200 << 10 // 2 s
		e := serve(t, on, engineio.Config{WriteTimeout: writeTimeout, DisableCompression: true}, o)
		p := e.polling(t, enginetest.Setup{})
		hugeResponse(t, e, p, size)
		r, err := p.Get.Read("GET")
		if err != nil || r.Status != 200 || len(r.Body) != size+1 {
			t.Fatalf("%v, %v", r, err)
		}
		time.Sleep(5 * writeTimeout)
		if r, err = p.Get.Do("GET", "/elsewhere", nil); err != nil || r.Status != 404 {
			t.Fatalf("a request to another handler: %v, %v", r, err)
		}
		alive(t, p)
	})
}

func TestWebSocketThatIsNotRead(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		const writeTimeout = 300 * time.Millisecond
		e := serve(t, on, engineio.Config{WriteTimeout: writeTimeout}, o)
		check := e.bystander(t)
		for _, way := range enginetest.Ways[1:] {
			w := e.connect(t, enginetest.Setup{Way: way}).(*enginetest.WebSocket)
			narrow(t, w.Conn.NetConn())
			start := time.Now()
			s := e.session(t, w)
			if err := s.SendText(strings.Repeat("x", hugeSize)); err != nil {
				t.Fatal(err)
			}
			end := e.ended(t, engineio.ReasonStalled)
			if d := time.Since(start); end.s != s || d < writeTimeout || !errors.Is(end.err, os.ErrDeadlineExceeded) {
				t.Errorf("%s: ended after %v with %v", way, d, end.err)
			}
			if n, err := io.Copy(io.Discard, w.Conn.NetConn()); errors.Is(err, os.ErrDeadlineExceeded) || n >= hugeSize {
				t.Errorf("%s: the connection goes on: %d bytes, %v", way, n, err)
			}
			w.Close()
		}
		check()
	})
}

// It reads something within WriteTimeout, and not the third of 4 MB that a full socket waits for.
func TestWebSocketThatIsReadSlowly(t *testing.T) {
	eachLine(t, func(t *testing.T, on stack, o enginetest.Options) {
		const writeTimeout = 4 * time.Second
		e := serve(t, on, engineio.Config{WriteTimeout: writeTimeout}, o)
		w := e.webSocket(t, enginetest.Setup{})
		c := w.Conn.NetConn()
		narrow(t, c)
		if err := e.session(t, w).SendText(strings.Repeat("x", hugeSize)); err != nil {
			t.Fatal(err)
		}
		if d := readSlowly(t, c, 64<<10, 24, writeTimeout/13); d < writeTimeout {
			t.Errorf("all was read in %v, which is not slow", d)
		}
		if n := len(e.ends); n != 0 {
			t.Errorf("%d sessions have ended", n)
		}
	})
}
