package socketio

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// serve starts a Server, whose handlers setup sets.
func serve(t *testing.T, config Config, setup func(*Server)) *enginetest.Server {
	t.Helper()
	if config.Engine.Logger == nil {
		config.Engine.Logger = slog.New(noErrors{slog.DiscardHandler, t})
	}
	config.Engine.CloseTimeout = 200 * time.Millisecond // clients are gone without a word
	sio := New(config)
	setup(sio)
	s := enginetest.Start(t, sio.Engine().Handler(nil), enginetest.Options{})
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := sio.Engine().Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// noErrors is a log in which an error, such as a panic, fails the test.
type noErrors struct {
	slog.Handler
	t *testing.T
}

func (noErrors) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelError }

func (h noErrors) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		h.t.Errorf("%s: %v", r.Message, a)
		return true
	})
	return nil
}

// silent is the configuration of tests whose handlers panic.
func silent() (c Config) {
	c.Engine.Logger = slog.New(slog.DiscardHandler)
	return c
}

// A client speaks packets in their wire form.
type client struct {
	t *testing.T
	enginetest.Client
}

// dial connects by WebSocket, which has an order that tests can tell.
func dial(t *testing.T, s *enginetest.Server) *client { return dialBy(t, s, enginetest.ByWebSocket) }

func dialBy(t *testing.T, s *enginetest.Server, way enginetest.Way) *client {
	t.Helper()
	return &client{t, enginetest.Connect(t, s, enginetest.Setup{Way: way, Path: "/socket.io/"})}
}

// join connects to namespaces, and returns the ids of the sockets.
func (c *client) join(namespaces ...string) (ids []string) {
	c.t.Helper()
	for _, n := range namespaces {
		head := "0"
		if n != "/" {
			head += n + ","
		}
		c.send(head)
		got := c.next()
		id, ok := strings.CutPrefix(got, head+`{"sid":"`)
		if !ok {
			c.t.Fatalf("joining %s: %s", n, got)
		}
		ids = append(ids, strings.TrimSuffix(id, `"}`))
	}
	return ids
}

// send sends texts.
func (c *client) send(texts ...string) {
	c.t.Helper()
	for _, text := range texts {
		if err := c.Send(enginetest.Text(text)); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *client) sendBinary(b ...byte) {
	c.t.Helper()
	if err := c.Send(enginetest.Binary(b)); err != nil {
		c.t.Fatal(err)
	}
}

// next is the next message; of a binary one "b" and its bytes.
func (c *client) next() string {
	c.t.Helper()
	p, err := enginetest.Next(c.Client)
	if err != nil {
		c.t.Fatal(err)
	}
	if p.Binary {
		return "b" + string(p.Data)
	}
	return string(p.Data)
}

// want receives messages.
func (c *client) want(messages ...string) {
	c.t.Helper()
	for _, m := range messages {
		if got := c.next(); got != m {
			c.t.Fatalf("got %s, not %s", got, m)
		}
	}
}

// ended waits for the end of the session.
func (c *client) ended() {
	c.t.Helper()
	for {
		p, err := enginetest.Next(c.Client)
		if err != nil {
			return
		}
		if p.Type == codec.Close {
			return
		}
		c.t.Logf("before the end: %s", p.Data)
	}
}

// soon is what comes by a channel.
func soon[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		stacks := make([]byte, 1<<20)
		t.Fatalf("it does not come\n%s", stacks[:runtime.Stack(stacks, true)])
		panic("unreachable")
	}
}
