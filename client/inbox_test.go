package client

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// kinds is what waits, a letter each.
func (q *inbox) kinds() (all string) {
	for _, e := range q.queue {
		all += string("mcud"[e.kind])
	}
	return all
}

// Nothing but a message waits for room: a handler may wait for what comes next. What it need not hear of it is spared.
func TestFullInbox(t *testing.T) {
	q := newInbox(3 * messageCost)
	q.keepEvents()
	for _, step := range []struct {
		kind kind
		want string
	}{
		{onConnect, "c"}, {onUpgrade, "cu"}, {onMessage, "cum"}, {onMessage, "cum"}, {onDisconnect, "cumd"},
		{onConnect, "cumdc"}, {onDisconnect, "cumd"},
		{onConnect, "cumdc"}, {onUpgrade, "cumdcu"}, {onDisconnect, "cumd"}, {onConnect, "cumdc"},
	} {
		if step.kind == onMessage {
			q.tryAdd(Message{})
		} else {
			q.addEvent(event{kind: step.kind})
		}
		if got := q.kinds(); got != step.want || q.size != len(got)*messageCost {
			t.Fatalf("after %d: %s of %d bytes, want %s", step.kind, got, q.size, step.want)
		}
	}
}

// The reader that is woken may have given up: another is to have what came.
func TestReaderThatGivesUp(t *testing.T) {
	for name, happen := range map[string]func(q *inbox){
		"message": func(q *inbox) { q.tryAdd(Message{}) },
		"end":     func(q *inbox) { q.close(&CloseError{Reason: ReasonServerClose}) },
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 100 {
				synctest.Test(t, func(t *testing.T) {
					q := newInbox(1 << 20)
					ctx, cancel := context.WithCancel(t.Context())
					first, second := make(chan error, 1), make(chan error, 1)
					go func() { _, err := q.pop(ctx); first <- err }()
					synctest.Wait()
					go func() { _, err := q.pop(t.Context()); second <- err }()
					synctest.Wait()
					happen(&q)
					cancel()
					if err := <-first; err != context.Canceled {
						q.close(&CloseError{}) // it was faster; the other would wait for a second message
					}
					select {
					case <-second:
					case <-time.After(time.Hour):
						t.Fatalf("round %d: the other waits on", i)
					}
				})
			}
		})
	}
}
