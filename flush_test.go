package engineio

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
)

// flushing is a flush under way, and its result.
func flushing(ctx context.Context, o *outbox) <-chan error {
	result := make(chan error, 1)
	go func() { result <- o.flush(ctx) }()
	synctest.Wait()
	return result
}

// outcome is the result of a flush that has one.
func outcome(t *testing.T, result <-chan error) error {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-result:
		return err
	default:
		t.Fatal("the flush still waits")
		return nil
	}
}

func TestFlushOfNothing(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	if err := o.flush(t.Context()); err != nil || b.rung() > 0 {
		t.Errorf("flush: %v, or it wakes the transport for nothing", err)
	}
}

func TestFlushReturnsWhenHandedOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		_ = o.push(text("one"), 0)
		one, another := flushing(t.Context(), o), flushing(t.Context(), o)
		taken, _ := o.take(b)
		n := taken.packets
		_ = o.push(text("two"), 0) // not waited for
		synctest.Wait()
		if len(one) > 0 || len(another) > 0 {
			t.Fatal("flush returns before the connection has the packet")
		}
		o.finished(n, nil)
		if err := errors.Join(outcome(t, one), outcome(t, another)); err != nil {
			t.Error(err)
		}
	})
}

func TestFlushWakesInSpiteOfACork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		o.cork()
		_ = o.push(text("one"), 0)
		result := flushing(t.Context(), o)
		if n := b.rung(); n != 1 {
			t.Errorf("woken %d times", n)
		}
		takeAll(t, o, b)
		if err := outcome(t, result); err != nil {
			t.Error(err)
		}
		o.uncork()
	})
}

func TestFlushFails(t *testing.T) {
	cause := errors.New("no time")
	for _, c := range []struct {
		name string
		do   func(o *outbox, b transport, cancel context.CancelCauseFunc)
		want error
	}{
		{"the queue is dropped", func(o *outbox, _ transport, _ context.CancelCauseFunc) { o.abort() }, ErrClosed},
		{"the transport leaves", func(o *outbox, b transport, _ context.CancelCauseFunc) { o.detach(b) }, ErrClosed},
		{"the write fails", func(o *outbox, b transport, _ context.CancelCauseFunc) {
			taken, _ := o.take(b)
			n := taken.packets
			o.finished(n, net.ErrClosed)
		}, ErrClosed},
		{"the context ends", func(_ *outbox, _ transport, cancel context.CancelCauseFunc) { cancel(cause) }, cause},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(bell)
				o := openOutbox(b, 1<<20)
				_ = o.push(text("one"), 0)
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				result := flushing(ctx, o)
				c.do(o, b, cancel)
				if err := outcome(t, result); !errors.Is(err, c.want) {
					t.Errorf("%v, want %v", err, c.want)
				}
			})
		})
	}
}

// What was handed over before a session ended stays handed over.
func TestFlushAfterTheEnd(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	_ = o.push(text("one"), 0)
	takeAll(t, o, b)
	o.abort()
	if err := o.flush(t.Context()); err != nil {
		t.Error(err)
	}
}
