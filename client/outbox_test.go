package client

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/fasteio/engineio/codec"
)

func text(s string) codec.Packet { return codec.Packet{Type: codec.Message, Data: []byte(s)} }

// sending is an outbox with a session attached whose flush the test plays.
func sending(max int) (*outbox, *session) {
	o := &outbox{max: max}
	s := &session{ctx: context.Background()}
	o.attach(s, nil)
	return o, s
}

func TestOutboxBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, s := sending(100)
		ctx := t.Context()
		if err := o.push(ctx, text(string(make([]byte, 500)))); err != nil {
			t.Fatal("one message always fits:", err)
		}
		done := make(chan error, 2)
		go func() { done <- o.push(ctx, text("waits")) }()
		short, cancel := context.WithCancel(ctx)
		go func() { done <- o.push(short, text("gives up")) }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if !o.claim(s) || o.claim(s) {
			t.Fatal("one claim, not two")
		}
		b, ok := o.take(10, messageSize)
		if !ok || len(b.packets) != 1 {
			t.Fatalf("took %+v", b)
		}
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("there is no room before the message has left")
		default:
		}
		o.finished(b, nil)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestOutboxFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, s := sending(1000)
		ctx := t.Context()
		broken := errors.New("broken")
		for i, test := range []struct {
			err, want error
		}{{nil, nil}, {broken, broken}, {nil, nil}} {
			_ = o.push(ctx, text("a"))
			done := make(chan error, 1)
			go func() { done <- o.flush(ctx) }()
			synctest.Wait()
			if !o.claim(s) {
				t.Fatal(i, "no claim")
			}
			b, _ := o.take(1000, messageSize)
			_ = o.push(ctx, text("later, not waited for"))
			o.finished(b, test.err)
			if err := <-done; !errors.Is(err, test.want) {
				t.Errorf("%d: %v, want %v", i, err, test.want)
			}
			if test.err == nil {
				b, _ = o.take(1000, messageSize)
				o.finished(b, nil)
				if _, ok := o.take(1000, messageSize); ok {
					t.Fatal("more than there is")
				}
			} else { // the session ends, the next one goes on with the rest
				o.attach(s, nil)
				if !o.claim(s) {
					t.Fatal("the rest is lost")
				}
				b, _ = o.take(1000, messageSize)
				o.finished(b, nil)
				o.take(1000, messageSize)
			}
			s.tasks.Add(-1)
		}
	})
}

func TestOutboxCloses(t *testing.T) {
	o, s := sending(1000)
	ctx := t.Context()
	for i := range 3 {
		_ = o.push(ctx, text(fmt.Sprint(i)))
	}
	o.pushHeartbeat(s, codec.Packet{Type: codec.Pong})
	why := &CloseError{Reason: ReasonClientClose}
	o.close(why)
	if err := o.push(ctx, text("x")); err != why {
		t.Error(err)
	}
	if !o.claim(s) {
		t.Fatal("no claim")
	}
	size := func(codec.Packet) int { return 5 }
	b, _ := o.take(15, size) // the heartbeat, one message, and room for a close packet
	if b.heartbeat == nil || len(b.packets) != 1 || b.closes {
		t.Fatalf("took %+v", b)
	}
	o.finished(b, nil)
	b, _ = o.take(15, size)
	if len(b.packets) != 2 || !b.closes {
		t.Fatalf("took %+v", b)
	}
	o.finished(b, nil)
	if o.claim(s) {
		t.Error("something is sent after goodbye")
	}
	if n := o.unsent(); n != 0 {
		t.Errorf("%d unsent", n)
	}
	if err := o.flush(ctx); err != nil {
		t.Error(err)
	}
}

// A session that has ended takes nothing more: what is left, and what comes, is for the next one.
func TestOutboxSparesWhatADeadSessionWouldTake(t *testing.T) {
	o, _ := sending(1000)
	ctx, end := context.WithCancel(t.Context())
	dead := &session{ctx: ctx}
	o.attach(dead, nil)
	for i := range 3 {
		must(t, o.push(t.Context(), text(fmt.Sprint(i))))
	}
	if !o.claim(dead) {
		t.Fatal("no claim")
	}
	b, _ := o.take(closePacketSize+1, messageSize)
	end()
	o.finished(b, errSilent)
	if o.claim(dead) {
		t.Error("a claim for a session that has ended")
	}
	next := &session{ctx: t.Context()}
	o.attach(next, []codec.Packet{text("hello")})
	if !o.claim(next) {
		t.Fatal("no claim for the next session")
	}
	for _, want := range []string{"hello", "1", "2"} {
		b, ok := o.take(closePacketSize+1, messageSize)
		if !ok || len(b.packets) != 1 || string(b.packets[0].Data) != want {
			t.Fatalf("took %+v, want %q", b, want)
		}
		o.finished(b, nil)
	}
	if o.done != 3 || o.size != 0 {
		t.Errorf("%d settled, %d bytes left", o.done, o.size)
	}

	ctx, end = context.WithCancel(t.Context())
	o.attach(&session{ctx: ctx}, nil)
	must(t, o.push(t.Context(), text("3")))
	o.claimed = true
	end()
	if b, ok := o.take(100, messageSize); ok || o.claimed {
		t.Errorf("a session that has ended took %+v", b)
	}
}

// A client that is killed lets go of callbacks which wait for its queue.
func TestOutboxKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		killed := make(chan struct{})
		o := &outbox{max: 10, killed: killed}
		must(t, o.push(t.Context(), text("full")))
		done := make(chan error, 2)
		go func() { done <- o.push(context.Background(), text("waits")) }()
		go func() { done <- o.flush(context.Background()) }()
		synctest.Wait()
		close(killed)
		for range 2 {
			if err := <-done; !errors.Is(err, ErrClosed) {
				t.Error(err)
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A heartbeat is for the session it belongs to, not for the one that sends by now.
func TestOutboxDropsHeartbeatsOfTheDead(t *testing.T) {
	o, s := sending(1000)
	next := &session{ctx: t.Context()}
	o.attach(next, nil)
	o.pushHeartbeat(s, codec.Packet{Type: codec.Ping})
	if o.claim(next) {
		t.Error("there is something to send")
	}
	o.pushHeartbeat(next, codec.Packet{Type: codec.Ping})
	if !o.claim(next) {
		t.Error("there is nothing to send")
	}
}
