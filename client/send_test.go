package client_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

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

// What the server would refuse is refused between two sessions too, and what it takes is taken.
func TestSendsBetweenSessionsAreChecked(t *testing.T) {
	eachTransport(t, func(t *testing.T, transport client.Transport) {
		got := make(chan string, 10)
		config := engineio.Config{MaxPayload: 1000, OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- string(m.Data) }}
		c, end := inGap(t, config, transport, client.Options{})
		ctx := background(t)
		if err := c.SendText(ctx, strings.Repeat("x", 1000)); !errors.Is(err, client.ErrTooBig) {
			t.Error(err)
		}
		longest := strings.Repeat("x", 999)
		must(t, c.SendText(ctx, longest))
		separated, err := "a\x1eb", error(nil)
		if transport == client.Polling {
			separated, err = "ab", client.ErrInvalidText
		}
		if sent := c.SendText(ctx, "a\x1eb"); !errors.Is(sent, err) {
			t.Errorf("%v, want %v", sent, err)
		}
		if err := c.SendText(ctx, "\xff"); !errors.Is(err, client.ErrInvalidText) {
			t.Error(err)
		}
		if transport == client.Polling {
			must(t, c.SendText(ctx, separated))
		}
		end()
		for _, want := range []string{longest, separated} {
			if text := <-got; text != want {
				t.Errorf("%.10q of %d bytes", text, len(text))
			}
		}
	})
}

// A binary message of exactly maxPayload fits into a WebSocket message, and none more.
func TestLargestBinary(t *testing.T) {
	got := make(chan int, 1)
	url, _, _ := serve(t, engineio.Config{MaxPayload: 1000, OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- len(m.Data) }})
	for transport, most := range map[client.Transport]int{client.WebSocket: 1000, client.Polling: 747} { // "b" and base64
		c := dial(t, url, &client.Options{Transports: []client.Transport{transport}})
		must(t, c.SendBinary(background(t), make([]byte, most)))
		if n := <-got; n != most {
			t.Errorf("%v: %d bytes", transport, n)
		}
		if err := c.SendBinary(background(t), make([]byte, most+1)); !errors.Is(err, client.ErrTooBig) {
			t.Errorf("%v: %v", transport, err)
		}
	}
}
