package engineio

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

func TestTallyOfNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := new(waitGroup).wait(ctx); err != nil {
		t.Errorf("wait for nothing: %v", err)
	}
}

func TestTallyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c waitGroup
		c.add()
		done := make(chan error, 2)
		for range cap(done) {
			go func() { done <- c.wait(t.Context()) }()
		}
		synctest.Wait()
		c.add() // it may grow meanwhile
		c.done()
		synctest.Wait()
		if len(done) > 0 {
			t.Fatal("wait returns before the count is 0")
		}
		c.done()
		if err := errors.Join(<-done, <-done); err != nil {
			t.Error(err)
		}
		c.add() // and again
		go func() { done <- c.wait(t.Context()) }()
		synctest.Wait()
		c.done()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestTallyWaitEndsWithTheContext(t *testing.T) {
	var c waitGroup
	c.add()
	cause := errors.New("no time")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if err := c.wait(ctx); !errors.Is(err, cause) {
		t.Errorf("%v, want the cause of the context", err)
	}
	c.done()
	if err := c.wait(t.Context()); err != nil {
		t.Error(err)
	}
}
