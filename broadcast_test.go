package engineio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// everyone connects a client of each kind: both revisions, all ways, with and without b64.
func everyone(t *testing.T, e *engine) (clients []enginetest.Client) {
	t.Helper()
	for _, way := range enginetest.Ways {
		for _, revision := range enginetest.Revisions {
			for _, query := range []string{"", "b64=1"} {
				clients = append(clients, e.connect(t, enginetest.Setup{Way: way, Revision: revision, Query: query}))
			}
		}
	}
	return clients
}

func TestBroadcastToEveryone(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		clients := everyone(t, e)
		big := make([]byte, 5000) // large enough to be shared and not copied
		for i := range big {
			big[i] = byte(i)
		}
		packets := []codec.Packet{
			enginetest.Text("hello €😀"), enginetest.Binary([]byte{0, 1, 0x1e, 0xff}),
			enginetest.Text(""), enginetest.Binary(big), enginetest.Text(string(make([]byte, 5000))),
		}
		for range 3 {
			for _, p := range packets {
				if p.Binary {
					e.Broadcast(engineio.PrepareBinary(p.Data))
				} else {
					e.Broadcast(engineio.PrepareText(string(p.Data)))
				}
			}
		}
		for _, c := range clients {
			for range 3 {
				expect(t, c, packets...)
			}
			alive(t, c)
		}
	})
}

// One PreparedMessage may be sent by many at once, and its bytes are nobody's to change.
func TestPreparedIsShared(t *testing.T) {
	t.Parallel()
	e := serve(t, onFasthttp, engineio.Config{})
	clients := everyone(t, e)
	const each = 50
	data := []byte("binary \x00\x1e")
	text, binary := engineio.PrepareText("text"), engineio.PrepareBinary(data)
	copy(data, "changed") // it was copied
	for _, c := range clients {
		s := e.session(t, c)
		go func() {
			for range each {
				_, _ = s.SendPrepared(text), s.SendPrepared(binary)
			}
		}()
	}
	for _, c := range clients {
		for range each {
			expect(t, c, enginetest.Text("text"), enginetest.Binary([]byte("binary \x00\x1e")))
		}
	}
}

// Text with a separator is left out for those it would hurt, invalid text for all.
func TestBroadcastOfWhatCannotTravel(t *testing.T) {
	t.Parallel()
	e := serve(t, onFasthttp, engineio.Config{})
	polling, webSocket := e.polling(t, enginetest.Setup{}), e.webSocket(t, enginetest.Setup{})
	e.Broadcast(engineio.PrepareText("a\x1e4b"))
	e.Broadcast(engineio.PrepareText("\xff"))
	e.Broadcast(engineio.PrepareText("good"))
	expect(t, polling, enginetest.Text("good"))
	expect(t, webSocket, enginetest.Text("a\x1e4b"), enginetest.Text("good"))
}

// A client that does not read is closed or left out, as the configuration says; others get everything.
func TestOverflow(t *testing.T) {
	const messages = 40
	for name, overflow := range map[string]engineio.Overflow{
		"error": engineio.OverflowReject, "close": engineio.OverflowClose, "drop": engineio.OverflowDropNewest,
	} {
		t.Run(name, func(t *testing.T) {
			eachStack(t, func(t *testing.T, on stack) {
				e := serve(t, on, engineio.Config{MaxQueuedBytes: 10_000, Overflow: overflow})
				stalled := e.polling(t, enginetest.Setup{}) // does not poll
				reading := e.webSocket(t, enginetest.Setup{})
				s := e.session(t, stalled)
				for i := range messages {
					text := string(rune('a'+i%26)) + string(make([]byte, 999))
					e.Broadcast(engineio.PrepareText(text))
					expect(t, reading, enginetest.Text(text))
				}
				if overflow == engineio.OverflowDropNewest {
					p, err := stalled.Receive()
					if err != nil || p.Data[0] != 'a' {
						t.Fatalf("%v, %v", p, err)
					}
					return
				}
				end := e.ended(t, engineio.ReasonSlowClient)
				if end.s != s || !errors.Is(end.err, engineio.ErrQueueFull) {
					t.Errorf("ended %v with %v", end.s.ID(), end.err)
				}
				if p, err := stalled.Receive(); err != nil || p.Type != codec.Close {
					t.Errorf("the slow client is told %v, %v", p, err)
				}
			})
		})
	}
}

// A WebSocket client that reads nothing holds nobody up: sends fail at the bound, and a write that
// does not get through ends the session.
func TestStalledWebSocket(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{WriteTimeout: 2 * time.Second}) // time to fill the queue
		check := e.bystander(t)
		w := e.webSocket(t, enginetest.Setup{})
		s := e.session(t, w)
		full := false
		for err := error(nil); !errors.Is(err, engineio.ErrClosed); {
			if err = s.SendBinary(make([]byte, 200_000)); errors.Is(err, engineio.ErrQueueFull) {
				full = true
				err = s.Flush(t.Context())
			}
		}
		if !full {
			t.Error("no send failed with ErrQueueFull")
		}
		e.ended(t, engineio.ReasonStalled)
		check()
	})
}

func TestFlushMakesRoom(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{MaxQueuedBytes: 5_000})
		c := e.connect(t, setup)
		s := e.session(t, c)
		const n = 100
		failed := make(chan error, 1)
		go func() { failed <- sendWithFlush(s, n) }()
		for i := range n {
			expect(t, c, enginetest.Text(string(rune('a'+i%26))+string(make([]byte, 999))))
		}
		if err := <-failed; err != nil {
			t.Error(err)
		}
	})
}

func sendWithFlush(s *engineio.Session, n int) error {
	ctx, cancel := context.WithTimeout(context.Background(), enginetest.Patience)
	defer cancel()
	for i := 0; i < n; {
		err := s.SendText(string(rune('a'+i%26)) + string(make([]byte, 999)))
		switch {
		case err == nil:
			i++
			continue
		case !errors.Is(err, engineio.ErrQueueFull):
			return err
		}
		if err := s.Flush(ctx); err != nil {
			return err
		}
	}
	return s.Flush(ctx)
}
