package engineio

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestCorkHoldsSendsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		_ = o.push(text("no cork"), 0)
		if b.rung() != 1 {
			t.Fatal("a send does not wake the transport")
		}
		takeAll(t, o, b)

		o.cork()
		o.cork() // a callback and the one behind it
		_ = o.push(text("one"), 0)
		_ = o.pushPrepared(PrepareText("two"))
		if o.uncork() != nil || b.rung() > 0 {
			t.Error("sends leave before the last uncork")
		}
		if o.uncork() != transport(b) || b.rung() > 0 {
			t.Error("the last uncork does not name the transport")
		}
		if got, _ := takeAll(t, o, b); !slices.Equal(got, []string{"4one", "4two"}) {
			t.Errorf("took %q", got)
		}
		time.Sleep(time.Second)
		if b.rung() > 0 {
			t.Error("the timer of a cork that is gone rings")
		}

		o.cork()
		if o.uncork() != nil {
			t.Error("an uncork with nothing to take names a transport")
		}
	})
}

func TestCorkLastsAMillisecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		for round := range 3 { // the next cork holds again
			o.cork()
			time.Sleep(time.Second) // a cork alone costs nothing: it counts from the first send
			_ = o.push(text("one"), 0)
			time.Sleep(corkTimeout - 1)
			_ = o.push(text("two"), 0)
			synctest.Wait()
			if b.rung() > 0 {
				t.Fatalf("round %d: corked sends leave within a millisecond", round)
			}
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			if n := b.rung(); n != 1 {
				t.Fatalf("round %d: woken %d times after a millisecond, want once", round, n)
			}
			takeAll(t, o, b)
			_ = o.push(text("three"), 0)
			if b.rung() != 1 {
				t.Fatalf("round %d: a void cork holds a send back", round)
			}
			takeAll(t, o, b)
			if o.uncork() != nil {
				t.Fatalf("round %d: nothing is left to take", round)
			}
		}
	})
}

func TestCorkLoosensForNobody(t *testing.T) {
	for name, prepare := range map[string]func(o *outbox, b transport){
		"a holder that drains": func(o *outbox, b transport) { o.claim(b) },
		"an empty queue":       func(o *outbox, b transport) { _, _ = o.take(b) },
		"a session that ended": func(o *outbox, b transport) { o.abort() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := new(bell)
				o := openOutbox(b, 1<<20)
				o.cork()
				_ = o.push(text("one"), 0)
				prepare(o, b)
				b.rung()
				time.Sleep(time.Second)
				synctest.Wait()
				if n := b.rung(); n > 0 {
					t.Errorf("woken %d times", n)
				}
			})
		})
	}
}

// A claim holds whatever was queued under a cork; uncork has nobody to wake then.
func TestUncorkLeavesItToTheDrain(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	_ = o.push(text("one"), 0)
	o.claim(b)
	b.rung()
	o.cork()
	_ = o.push(text("two"), 0)
	if o.uncork() != nil || b.rung() > 0 {
		t.Error("a second drain is called for")
	}
	if o.release() {
		t.Error("the drain stops with a packet in the queue")
	}
}

func TestEndIsToldUnderACork(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	o.cork()
	_ = o.push(text("one"), 0)
	o.close()
	if o.uncork() != transport(b) && b.rung() == 0 {
		t.Error("nobody is told of the end")
	}
	if got, last := takeAll(t, o, b); !slices.Equal(got, []string{"4one"}) || !last {
		t.Errorf("took %q, last %v", got, last)
	}
}
