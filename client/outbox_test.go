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
	s := &session{}
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
		o.settle(b, nil)
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
			o.settle(b, test.err)
			if err := <-done; !errors.Is(err, test.want) {
				t.Errorf("%d: %v, want %v", i, err, test.want)
			}
			if test.err == nil {
				b, _ = o.take(1000, messageSize)
				o.settle(b, nil)
				if _, ok := o.take(1000, messageSize); ok {
					t.Fatal("more than there is")
				}
			} else { // the session ends, the next one goes on with the rest
				o.attach(s, nil)
				if !o.claim(s) {
					t.Fatal("the rest is lost")
				}
				b, _ = o.take(1000, messageSize)
				o.settle(b, nil)
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
	o.pushUrgent(codec.Packet{Type: codec.Pong})
	why := &CloseError{Reason: ReasonClientClose}
	o.close(why)
	if err := o.push(ctx, text("x")); err != why {
		t.Error(err)
	}
	if !o.claim(s) {
		t.Fatal("no claim")
	}
	size := func(codec.Packet) int { return 5 }
	b, _ := o.take(15, size) // the heartbeat, one message, and room for goodbye
	if b.urgent == nil || len(b.packets) != 1 || b.last {
		t.Fatalf("took %+v", b)
	}
	o.settle(b, nil)
	b, _ = o.take(15, size)
	if len(b.packets) != 2 || !b.last {
		t.Fatalf("took %+v", b)
	}
	o.settle(b, nil)
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
