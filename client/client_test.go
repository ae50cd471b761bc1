package client_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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

// What was sent before Close arrives, and the server learns that the client closed the session.
func TestCloseIsGraceful(t *testing.T) {
	const n = 5000
	type end struct {
		got    int
		reason engineio.Reason
	}
	ends := make(chan end, 1)
	key := engineio.NewKey[*int]("count")
	url, _, _ := serve(t, engineio.Config{
		MaxPayload: 4000, // many POSTs
		OnConnect:  func(s *engineio.Session) { key.Set(s, new(int)) },
		OnMessage:  func(s *engineio.Session, _ engineio.Message) { count, _ := key.Get(s); *count++ },
		OnDisconnect: func(s *engineio.Session, why *engineio.CloseError) {
			count, _ := key.Get(s)
			ends <- end{*count, why.Reason}
		},
	})
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.CloseTimeout = patience
		c := dial(t, url, o)
		for i := range n {
			must(t, c.SendText(background(t), fmt.Sprint("message ", i)))
		}
		must(t, c.Close())
		wantReason(t, c, client.ReasonClientClose)
		if got := <-ends; got.got != n || got.reason != engineio.ReasonClientClose {
			t.Errorf("the server got %d messages and %q, want %d", got.got, got.reason, n)
		}
	})
}

// The end of everything is immediate, whatever is under way, and nothing is left behind.
func TestCloseNow(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{})
	inEachMode(t, func(t *testing.T, m mode) {
		c := dial(t, url, m.options())
		upgraded(t, c, m.final)
		var wait sync.WaitGroup
		wait.Go(func() { _, _ = c.Read(context.Background()) })
		start := time.Now()
		c.CloseNow()
		took := time.Since(start)
		if took > time.Second {
			t.Errorf("took %v", took)
		}
		t.Logf("took %v", took)
		wait.Wait()
		wantReason(t, c, client.ReasonClientClose)
		c.CloseNow()
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestManyClosers(t *testing.T) {
	url, _, _ := serve(t, echo)
	inEachMode(t, func(t *testing.T, m mode) {
		for range 10 {
			c := dial(t, url, m.options())
			var wait sync.WaitGroup
			for i := range 6 {
				wait.Go(func() {
					if i%3 == 0 {
						c.CloseNow()
					} else if i%3 == 1 {
						_ = c.Close()
					} else {
						_ = c.SendText(context.Background(), "x")
					}
				})
			}
			wait.Wait()
			wantReason(t, c, client.ReasonClientClose)
		}
	})
}

func TestContexts(t *testing.T) {
	url, _, _ := serve(t, engineio.Config{})
	cause := errors.New("cause")
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(cause)
	if _, err := client.Dial(ctx, url, nil); !errors.Is(err, cause) {
		t.Errorf("Dial: %v", err)
	}
	c := dial(t, url, nil)
	if _, err := c.Read(ctx); !errors.Is(err, cause) {
		t.Errorf("Read: %v", err)
	}
	if err := c.SendText(ctx, "x"); !errors.Is(err, cause) {
		t.Errorf("SendText: %v", err)
	}
	if err := c.Flush(ctx); !errors.Is(err, cause) {
		t.Errorf("Flush: %v", err)
	}
	if err := c.SendText(context.Background(), "x"); err != nil {
		t.Errorf("the context of a call ends the call, not the client: %v", err)
	}
	must(t, c.Flush(background(t)))
}

// A loss between the send and the Flush is told, once.
func TestFlushTellsOfWhatWasLostBefore(t *testing.T) {
	url, l, _ := serve(t, engineio.Config{})
	c := dial(t, url, &client.Options{Transports: polling})
	_ = l.Listener.Close() // a POST comes on a fresh connection
	must(t, c.SendText(background(t), "lost"))
	<-c.Context().Done()
	if err := c.Flush(background(t)); !errors.Is(err, client.ErrClosed) {
		t.Errorf("Flush behind a loss: %v", err)
	}
	must(t, c.Flush(background(t)))
}

// Close gives a server that does not answer CloseTimeout, not more.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		served := make(chan struct{})
		go func() {
			defer close(served)
			_, _ = http.ReadRequest(bufio.NewReader(theirs))
			_, _ = io.WriteString(theirs, "HTTP/1.1 200 OK\r\nContent-Length: "+itoa(len(openSilent))+"\r\n\r\n"+openSilent)
		}()
		first := true
		c, err := client.Dial(t.Context(), "http://127.0.0.1/", &client.Options{Transports: polling, Logger: quiet,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if first {
					first = false
					return ours, nil
				}
				<-ctx.Done()
				return nil, ctx.Err()
			}})
		must(t, err)
		must(t, c.SendText(t.Context(), "x"))
		start := time.Now()
		if err := c.Close(); err == nil || time.Since(start) != 5*time.Second {
			t.Errorf("%v after %v, want an error after 5s", err, time.Since(start))
		}
		<-served
		_ = theirs.Close()
	})
}
