package peers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/lxzan/gws"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A client is a WebSocket of somebody else's. It may send from several goroutines; one receives.
type client interface {
	send(message) error
	receive() (message, error) // fails with a closeError after the server's close frame
	ping(payload string) error
	pong() <-chan string
	close(code uint16) error
	raw() net.Conn
}

// A message is what travels in one, Engine.IO's type of text included.
type message struct {
	binary bool
	data   string
}

func (m message) String() string {
	return fmt.Sprintf("%.40q (binary %v, %d bytes)", m.data, m.binary, len(m.data))
}

// closeError is the code of a close frame.
type closeError uint16

func (e closeError) Error() string { return fmt.Sprint("close code ", uint16(e)) }

const (
	limit = 1<<20 + 1 // a mebibyte and its type
	uri   = "/engine.io/?EIO=4&transport=websocket"
)

// A peer is a client in one of its ways.
type peer struct {
	name    string
	deflate bool
	dial    func(s *enginetest.Server) (client, error)
}

var all = func() []peer {
	peers := []peer{
		{"gws", false, func(s *enginetest.Server) (client, error) { return dialGWS(s, uri, gws.PermessageDeflate{}) }},
		{"gobwas", false, func(s *enginetest.Server) (client, error) { return dialGobwas(s, uri, false) }},
		{"gobwas, deflate", true, func(s *enginetest.Server) (client, error) { return dialGobwas(s, uri, true) }},
	}
	for name, deflate := range gwsDeflate {
		peers = append(peers, peer{"gws, " + name, true, func(s *enginetest.Server) (client, error) { return dialGWS(s, uri, deflate) }})
	}
	return peers
}()

// An engine echoes, and tells how its sessions end.
type engine struct {
	*engineio.Server
	ends chan engineio.Reason
}

// eachPeer runs f for a session of every client's, on both stacks.
func eachPeer(t *testing.T, f func(t *testing.T, e *engine, c client)) {
	t.Parallel()
	for _, p := range all {
		for _, on := range []string{"fasthttp", "fiber"} {
			t.Run(p.name+"/"+on, func(t *testing.T) {
				t.Parallel()
				e, s := serve(t, on, p.deflate)
				c, err := p.dial(s)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = c.raw().Close() })
				_ = c.raw().SetDeadline(time.Now().Add(enginetest.Patience)) // the dialer may have cleared it
				if m, err := c.receive(); err != nil || m.binary || !strings.HasPrefix(m.data, `0{"sid":"`) {
					t.Fatalf("first came %v, %v", m, err)
				}
				f(t, e, c)
			})
		}
	}
}

func serve(t *testing.T, on string, deflate bool) (*engine, *enginetest.Server) {
	e := &engine{ends: make(chan engineio.Reason, 1)}
	e.Server = engineio.New(engineio.Config{
		PerMessageDeflate: deflate, CompressionThreshold: 100, MaxPayload: limit, MaxQueuedBytes: 64 << 20,
		PingInterval: time.Hour, Logger: slog.New(slog.DiscardHandler),
		OnMessage: func(s *engineio.Session, m engineio.Message) {
			switch {
			case m.Binary:
				_ = s.SendBinary(m.Data)
			case string(m.Data) == "close":
				s.Close()
			default:
				_ = s.SendText(string(m.Data))
			}
		},
		OnDisconnect: func(_ *engineio.Session, why *engineio.CloseError) { e.ends <- why.Reason },
	})
	var s *enginetest.Server
	if on == "fiber" {
		s = enginetest.StartFiber(t, func(app *fiber.App) { app.Use(eiofiber.New(e.Server)) }, enginetest.Options{})
	} else {
		s = enginetest.Start(t, e.Handler(nil), enginetest.Options{})
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
		defer cancel()
		if err := e.Shutdown(ctx); err != nil || e.Len() != 0 {
			t.Errorf("Shutdown: %v, %d sessions are left", err, e.Len())
		}
	})
	return e, s
}

// ended checks why the session has ended.
func (e *engine) ended(t *testing.T, want engineio.Reason) {
	t.Helper()
	select {
	case r := <-e.ends:
		if r != want {
			t.Errorf("ended with %v, want %v", r, want)
		}
	case <-time.After(enginetest.Patience):
		t.Errorf("the session does not end, want %v", want)
	}
}

// sample is a message of n bytes beyond the type of a text.
func sample(n int, binary bool) message {
	if !binary {
		return message{false, "4" + strings.Repeat("x€", n/4+1)[:n/4*4]}
	}
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32N(16)) // compresses somewhat
	}
	return message{true, string(b)}
}

func TestEcho(t *testing.T) {
	eachPeer(t, func(t *testing.T, _ *engine, c client) {
		for _, n := range []int{0, 1, 125, 126, 127, 1000, 4096, 65535, 65536, 300_000, 1 << 20} {
			for _, binary := range []bool{false, true} {
				m, sent := sample(n, binary), make(chan error, 1)
				go func() { sent <- c.send(m) }()
				if got, err := c.receive(); err != nil || got != m {
					t.Fatalf("got %v, %v, want %v", got, err, m)
				}
				if err := <-sent; err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

// A thousand messages in a burst come back in order.
func TestBurst(t *testing.T) {
	const n = 1000
	eachPeer(t, func(t *testing.T, _ *engine, c client) {
		numbered := func(i int) message {
			return message{i%3 == 0, fmt.Sprintf("4%d %s", i, strings.Repeat("x", i*i%500))}
		}
		sent := make(chan error, 1)
		go func() {
			for i := range n {
				if err := c.send(numbered(i)); err != nil {
					sent <- err
					return
				}
			}
			sent <- nil
		}()
		for i := range n {
			if got, err := c.receive(); err != nil || got != numbered(i) {
				t.Fatalf("got %v, %v, want %v", got, err, numbered(i))
			}
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	})
}

// Several goroutines write at once, pings among their messages. Each one's come back in its order.
func TestConcurrentWriters(t *testing.T) {
	const writers, each = 8, 50
	eachPeer(t, func(t *testing.T, _ *engine, c client) {
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					if err := c.send(message{false, fmt.Sprintf("4%d %d %s", w, i, strings.Repeat("y", i*20))}); err != nil {
						t.Error(err)
						return
					}
					if i%10 == 0 {
						if err := c.ping(fmt.Sprint(w, " ", i)); err != nil {
							t.Error(err)
						}
					}
				}
			})
		}
		var next [writers]int
		for range writers * each {
			m, err := c.receive()
			if err != nil {
				t.Fatal(err)
			}
			var w, i int
			if _, err := fmt.Sscanf(m.data, "4%d %d", &w, &i); err != nil || i != next[w] || !strings.HasSuffix(m.data, " "+strings.Repeat("y", i*20)) {
				t.Fatalf("got %v, want %d of writer %d (%v)", m, next[w], w, err)
			}
			next[w]++
		}
		writing.Wait()
		settle(t, c)
		if n := len(c.pong()); n != writers*each/10 {
			t.Errorf("%d pongs", n)
		}
	})
}

// settle has everything before it come home.
func settle(t *testing.T, c client) {
	t.Helper()
	if err := c.send(message{false, "4settled"}); err != nil {
		t.Fatal(err)
	}
	if m, err := c.receive(); err != nil || m.data != "4settled" {
		t.Fatalf("got %v, %v", m, err)
	}
}

func TestPing(t *testing.T) {
	eachPeer(t, func(t *testing.T, _ *engine, c client) {
		payloads := []string{"", "a", "\x00\xff", strings.Repeat("p", 125)}
		for _, payload := range payloads {
			if err := c.ping(payload); err != nil {
				t.Fatal(err)
			}
		}
		settle(t, c)
		for _, want := range payloads {
			if got := <-c.pong(); got != want {
				t.Errorf("pong %q, want %q", got, want)
			}
		}
	})
}

func TestPeerCloses(t *testing.T) {
	for _, code := range []uint16{1000, 1001, 3000, 4999} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			eachPeer(t, func(t *testing.T, e *engine, c client) {
				settle(t, c)
				if err := c.close(code); err != nil {
					t.Fatal(err)
				}
				e.ended(t, engineio.ReasonClientClose)
				if _, gws := c.(*gwsClient); gws {
					return // it hangs up without waiting for our answer
				}
				if m, err := c.receive(); err != closeError(code) {
					t.Errorf("got %v, %v, want close code %d", m, err, code)
				}
			})
		})
	}
}

func TestServerCloses(t *testing.T) {
	for name, c := range map[string]struct {
		send   message
		code   closeError
		reason engineio.Reason
	}{
		"Close":        {message{false, "4close"}, 1000, engineio.ReasonServerClose},
		"close packet": {message{false, "1"}, 1000, engineio.ReasonClientClose},
		"no packet":    {message{false, "x"}, 1002, engineio.ReasonParseError},
		"too big":      {message{true, strings.Repeat("x", limit+1)}, 1009, engineio.ReasonTooBig},
	} {
		t.Run(name, func(t *testing.T) {
			eachPeer(t, func(t *testing.T, e *engine, peer client) {
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					_ = peer.send(c.send) // we may be told off before all has left
				}()
				var code closeError
				if m, err := peer.receive(); !errors.As(err, &code) || code != c.code {
					t.Errorf("got %v, %v, want %v", m, err, c.code)
				}
				<-sent
				e.ended(t, c.reason)
			})
		})
	}
}
