package engineio_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

func TestMessagesBothWays(t *testing.T) {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	messages := []codec.Packet{
		enginetest.Text("hello"),
		enginetest.Binary([]byte{1, 2, 3, 4}),
		enginetest.Text("€ 😀 ü \u2028 \x00 \r\n \"\\"),
		enginetest.Binary(all),
		enginetest.Text(""),
		enginetest.Text("4b:10"),
		enginetest.Binary([]byte{}),
		enginetest.Text(strings.Repeat("😀", 30_000)),
		enginetest.Binary(bytes.Repeat(all, 400)),
	}
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		for _, query := range []string{"", "b64=1"} {
			setup.Query = query
			e := serve(t, on, engineio.Config{})
			c := e.connect(t, setup)
			for _, m := range messages { // one by one
				if err := c.Send(m); err != nil {
					t.Fatal(err)
				}
				expect(t, c, m)
			}
			if err := c.Send(messages...); err != nil { // and together
				t.Fatal(err)
			}
			expect(t, c, messages...)
		}
	})
}

func TestThousandMessagesInOrder(t *testing.T) {
	const n = 1000
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		c := e.connect(t, setup)
		sent := make(chan error, 1)
		go func() { sent <- sendNumbers(c, n) }()
		for i := range n {
			expect(t, c, numbered(i))
		}
		if err := <-sent; err != nil {
			t.Fatal(err)
		}
	})
}

// sendNumbers sends n messages, some alone and some in one payload.
func sendNumbers(c enginetest.Client, n int) error {
	var batch []codec.Packet
	for i := range n {
		if batch = append(batch, numbered(i)); i%7 != 0 && i != n-1 {
			continue
		}
		if err := c.Send(batch...); err != nil {
			return err
		}
		batch = batch[:0]
	}
	return nil
}

// numbered is message i of a sequence; every third is binary.
func numbered(i int) codec.Packet {
	if i%3 == 2 {
		return enginetest.Binary([]byte{byte(i), byte(i >> 8), 0x1e})
	}
	return enginetest.Text(fmt.Sprintf("message %d €😀", i))
}

func TestSendsFromManyGoroutines(t *testing.T) {
	const senders, each = 8, 100
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		c := e.connect(t, setup)
		s := e.session(t, c)
		for sender := range senders {
			go func() {
				for i := range each {
					_ = s.SendText(fmt.Sprintf("%d %d", sender, i))
				}
			}()
		}
		var next [senders]int
		for range senders * each {
			p, err := enginetest.Next(c)
			if err != nil {
				t.Fatal(err)
			}
			var sender, i int
			if _, err := fmt.Sscanf(string(p.Data), "%d %d", &sender, &i); err != nil || i != next[sender] {
				t.Fatalf("%q, want %d of sender %d (%v)", p.Data, next[sender], sender, err)
			}
			next[sender]++
		}
	})
}

// Text that would be two packets on long-polling is refused there and nowhere else.
func TestSeparatorInText(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		c := e.connect(t, setup)
		s := e.session(t, c)
		err := s.SendText("a\x1e4b")
		if setup.Way == enginetest.ByPolling && setup.Revision == codec.V4 {
			if err != engineio.ErrInvalidText {
				t.Errorf("error %v, want ErrInvalidText", err)
			}
			alive(t, c)
			return
		}
		if err != nil {
			t.Error(err)
		}
		expect(t, c, enginetest.Text("a\x1e4b"))
	})
}

func TestServerOptions(t *testing.T) {
	for name, o := range map[string]enginetest.Options{
		"TLS":               {TLS: true},
		"ReduceMemoryUsage": {ReduceMemoryUsage: true},
		"StreamRequestBody": {StreamRequestBody: true},
		"MaxConnsPerIP":     {MaxConnsPerIP: 1000},
		"TLS, all of them":  {TLS: true, ReduceMemoryUsage: true, StreamRequestBody: true, MaxConnsPerIP: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
				e := serve(t, on, engineio.Config{}, o)
				c := e.connect(t, setup)
				big := enginetest.Binary(bytes.Repeat([]byte("0123456789"), 10_000))
				for range 2 {
					alive(t, c)
					if err := c.Send(big); err != nil {
						t.Fatal(err)
					}
					expect(t, c, big)
				}
			})
		})
	}
}
