package client_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

func TestMessagesComeBack(t *testing.T) {
	url, _, _ := serve(t, echo)
	messages := []client.Message{
		{Data: []byte("text")},
		{Data: []byte("")},
		{Data: []byte("unicode €😀 \u2028 \"quoted\" \\n \n")},
		{Data: []byte("0123456789:")},
		{Data: []byte{0, 1, 0x1e, 0xff}, Binary: true},
		{Data: []byte{}, Binary: true},
		{Data: bytes.Repeat([]byte("x"), 700_000)},
		{Data: bytes.Repeat([]byte{0xfe}, 700_000), Binary: true},
	}
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url+"/engine.io/", m.options())
		if c.ID() == "" {
			t.Error("no id")
		}
		for round := range 2 { // the second after the upgrade
			for _, message := range messages {
				must(t, c.Send(context.Background(), message))
				got := read(t, c)
				if got.Binary != message.Binary || !bytes.Equal(got.Data, message.Data) {
					t.Fatalf("round %d: read %.40q (binary %t), want %.40q", round, got.Data, got.Binary, message.Data)
				}
			}
			upgraded(t, c, m.final)
		}
		must(t, c.SendJSON(context.Background(), map[string]int{"a": 1}))
		wantText(t, c, `{"a":1}`)
		must(t, c.Close())
		wantReason(t, c, client.ReasonClientClose)
	})
}

const burst = 10_000

func TestBurstsStayInOrder(t *testing.T) {
	url, _, _ := serve(t, echo)
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url, m.options())
		ctx := background(t)
		failed := make(chan error, 1)
		go func() { // from the first moment on, so the upgrade is in the middle
			var err error
			for i := 0; i < burst && err == nil; i++ {
				if i%3 == 2 {
					err = c.SendBinary(ctx, binary.BigEndian.AppendUint32(nil, uint32(i)))
				} else {
					err = c.SendText(ctx, fmt.Sprintf("message %d €😀", i))
				}
			}
			failed <- err
		}()
		for i := range burst {
			got := read(t, c)
			if i%3 == 2 && (!got.Binary || binary.BigEndian.Uint32(got.Data) != uint32(i)) ||
				i%3 != 2 && string(got.Data) != fmt.Sprintf("message %d €😀", i) {
				t.Fatalf("message %d is %q (binary %t)", i, got.Data, got.Binary)
			}
		}
		must(t, <-failed)
		upgraded(t, c, m.final)
		must(t, c.Close())
	})
}

func TestBurstsOfTheServer(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{OnConnect: func(s *engineio.Session) {
		go func() {
			for i := range burst {
				for s.SendText(fmt.Sprint(i)) == engineio.ErrQueueFull {
					_ = s.Flush(s.Context())
				}
			}
		}()
	}, OnMessage: func(s *engineio.Session, _ engineio.Message) { s.Close() }})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.MaxReceivedBytes = 10 << 10 // the reader is held back, too
		c := dial(t, url, o)
		for i := range burst {
			wantText(t, c, fmt.Sprint(i))
		}
		upgraded(t, c, m.final)
		must(t, c.SendText(background(t), "enough"))
		wantReason(t, c, client.ReasonServerClose)
	})
}

func TestRefusedMessages(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{MaxPayload: 1000})
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url, m.options())
		upgraded(t, c, m.final)
		ctx := background(t)
		must(t, c.SendText(ctx, strings.Repeat("x", 990)))
		if err := c.SendText(ctx, strings.Repeat("x", 1000)); !errors.Is(err, client.ErrTooBig) {
			t.Errorf("too big: %v", err)
		}
		if err := c.SendText(ctx, "\xff"); !errors.Is(err, client.ErrInvalidText) {
			t.Errorf("invalid: %v", err)
		}
		want := error(nil)
		if m.revision == client.V4 && m.final == client.Polling {
			want = client.ErrInvalidText
		}
		if err := c.SendText(ctx, "a\x1eb"); !errors.Is(err, want) {
			t.Errorf("separator: %v, want %v", err, want)
		}
		if err := c.SendJSON(ctx, func() {}); err == nil {
			t.Error("a function is no JSON")
		}
		must(t, c.Close())
		if err := c.SendText(ctx, "late"); !errors.Is(err, client.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
		if err := c.Flush(ctx); !errors.Is(err, nil) {
			t.Errorf("nothing is left to flush: %v", err)
		}
		if _, err := c.Read(ctx); !errors.Is(err, client.ErrClosed) {
			t.Errorf("Read after Close: %v", err)
		}
	})
}
