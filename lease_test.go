package engineio

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestClaim(t *testing.T) {
	b, other := new(bell), new(bell)
	o := openOutbox(b, 1<<20)
	if o.claim(b) {
		t.Error("claimed with nothing to do")
	}
	_ = o.push(text("one"), 0)
	if o.claim(other) {
		t.Error("claimed by a transport that does not hold the outbox")
	}
	if !o.claim(b) || o.claim(b) {
		t.Error("a claim fails, or is given twice")
	}
	b.rung()
	_ = o.push(text("two"), 0)
	if b.rung() > 0 {
		t.Error("a send wakes the transport that is draining")
	}
	if o.release() {
		t.Error("rest with a packet in the queue")
	}
	takeAll(t, o, b)
	if !o.release() {
		t.Error("no rest with an empty queue")
	}
	o.close()
	if !o.claim(b) || o.release() {
		t.Error("the last word is nothing to drain for")
	}
	takeAll(t, o, b)
	if !o.release() {
		t.Error("no rest after the last word")
	}
}

// A count tells when so many packets have come, whoever took them.
type count struct {
	left atomic.Int64
	done chan struct{}
}

func newCount(n int) *count {
	c := &count{done: make(chan struct{})}
	c.left.Store(int64(n))
	return c
}

func (c *count) came(n int) {
	if n > 0 && c.left.Add(int64(-n)) == 0 {
		close(c.done)
	}
}

// A drainer is a transport as WebSocket is one: whoever wakes it makes it drain.
type drainer struct {
	o     *outbox
	count *count
	alone sync.Mutex // held by the drain; only ever tried
	got   []string
}

func (d *drainer) send() { d.wake() }

func (d *drainer) wake() {
	if d.o.claim(d) {
		go d.drain()
	}
}

func (d *drainer) drain() {
	for again := true; again; again = !d.o.release() {
		if !d.alone.TryLock() {
			panic("two drains at once")
		}
		taken, err := d.o.take(d)
		queue, n := taken.first, taken.packets
		if err == nil {
			d.got = append(d.got, texts(d.o.revision, queue)...)
			d.o.free(queue)
			d.o.finished(n, nil)
		}
		d.alone.Unlock()
		d.count.came(int(n))
	}
}

const (
	senders = 8
	packets = 500 // of each
)

// sendAll has the senders send, some of them under corks, until all their packets are queued.
func sendAll(o *outbox) *sync.WaitGroup {
	var sending sync.WaitGroup
	for sender := range senders {
		sending.Go(func() {
			for i := range packets {
				if sender%4 == 1 {
					o.cork()
				}
				_ = o.push(text(fmt.Sprintf("%d %d", sender, i)), 0)
				if sender%4 == 1 {
					if t := o.uncork(); t != nil {
						t.wake()
					}
				}
			}
		})
	}
	return &sending
}

// checkOrder fails unless every packet of every sender is in got, once and in order.
func checkOrder(t *testing.T, got []string) {
	t.Helper()
	var next [senders]int
	for _, p := range got {
		var sender, i int
		if _, err := fmt.Sscanf(p, "4%d %d", &sender, &i); err != nil {
			t.Fatalf("an unknown packet %q", p)
		}
		if i != next[sender] {
			t.Fatalf("sender %d: packet %d comes when %d is due", sender, i, next[sender])
		}
		next[sender]++
	}
	for sender, n := range next {
		if n != packets {
			t.Errorf("sender %d: %d packets of %d", sender, n, packets)
		}
	}
}

// within fails when done is not closed in good time. Nothing is measured by it.
func within(t *testing.T, done <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("never: " + what)
	}
}

func TestClaimAndRestLoseNoWakeUp(t *testing.T) {
	for range 10 {
		d := &drainer{count: newCount(senders * packets)}
		d.o = openOutbox(d, 1<<30)
		sendAll(d.o).Wait()
		within(t, d.count.done, "all packets drained, with no wake-up but those of the sends")
		checkOrder(t, d.got)
	}
}

// A poller is a transport as long-polling is one: it takes when it looks, and loses its hold in
// an upgrade.
type poller struct {
	o     *outbox
	count *count
	bell  chan struct{}
	got   []string
}

func (p *poller) send() { p.wake() }

func (p *poller) wake() {
	select {
	case p.bell <- struct{}{}:
	default:
	}
}

// poll takes until the outbox has changed hands.
func (p *poller) poll() {
	for range p.bell {
		taken, err := p.o.take(p)
		queue, n := taken.first, taken.packets
		if errors.Is(err, errUpgraded) {
			return
		}
		p.got = append(p.got, texts(p.o.revision, queue)...)
		p.o.free(queue)
		p.o.finished(n, nil)
		p.count.came(int(n))
	}
}

// The outbox changes hands under senders that do not stop, from poller to poller and to a
// drainer: nothing is lost, doubled or overtaken.
func TestPassLosesNothing(t *testing.T) {
	for range 20 {
		all := newCount(senders * packets)
		pollers := make([]*poller, 4)
		o := openOutbox(nil, 1<<30)
		for i := range pollers {
			pollers[i] = &poller{o: o, count: all, bell: make(chan struct{}, 1)}
		}
		last := &drainer{o: o, count: all}
		o.transfer(nil, pollers[0], false, false)
		sending := sendAll(o)
		var polling sync.WaitGroup
		for i, p := range pollers {
			if i > 0 && !o.transfer(pollers[i-1], p, false, false) {
				t.Fatal("the outbox does not change hands")
			}
			p.wake() // there may be something already
			polling.Go(p.poll)
			if i > 0 {
				pollers[i-1].wake() // and what it waits for is gone
			}
			runtime.Gosched()
		}
		o.transfer(pollers[len(pollers)-1], last, false, false)
		last.wake()
		pollers[len(pollers)-1].wake()
		sending.Wait()
		polling.Wait()
		within(t, all.done, "all packets taken")
		var got []string
		for _, p := range pollers {
			got = append(got, p.got...)
		}
		last.alone.Lock()
		checkOrder(t, append(got, last.got...))
		last.alone.Unlock()
	}
}

func TestDropWaitsForTheDrain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		_ = o.push(text("one"), 0)
		o.claim(b)
		takeAll(t, o, b) // and writes it, for as long as that takes
		o.abort()
		dropped := make(chan bool, 1)
		go func() { dropped <- o.detach(b) }()
		synctest.Wait()
		if len(dropped) > 0 {
			t.Fatal("drop returns while a drain is in progress")
		}
		if err := o.push(text("two"), 0); !errors.Is(err, ErrClosed) {
			t.Errorf("a send to a transport that leaves: %v", err)
		}
		finishDrain(t, o, b)
		if !<-dropped {
			t.Error("drop says that the transport did not hold the outbox")
		}
		if o.claim(b) || o.detach(b) {
			t.Error("the transport is still there")
		}
		if _, err := o.take(b); !errors.Is(err, ErrClosed) {
			t.Errorf("take after drop: %v", err)
		}
	})
}

// finishDrain is the rest of a drain whose transport leaves. A last word may be among it.
func finishDrain(t *testing.T, o *outbox, b transport) {
	t.Helper()
	if o.release() {
		return
	}
	for range 3 {
		taken, err := o.take(b)
		queue, n := taken.first, taken.packets
		o.free(queue)
		o.finished(n, err)
		if o.release() {
			return
		}
	}
	t.Error("the drain never comes to rest")
	o.mu.Lock() // or drop would wait for ever
	o.busy = false
	o.notify()
	o.mu.Unlock()
}

// What was queued during the drain in progress does not keep it going for ever.
func TestDropWithAQueue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := new(bell)
		o := openOutbox(b, 1<<20)
		_ = o.push(text("one"), 0)
		o.claim(b)
		takeAll(t, o, b)
		_ = o.push(text("two"), 0)
		dropped := make(chan struct{})
		go func() { defer close(dropped); o.detach(b) }()
		synctest.Wait()
		finishDrain(t, o, b)
		<-dropped
	})
}

func TestDropByAnother(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	if o.detach(new(bell)) {
		t.Error("a transport that does not hold the outbox drops it")
	}
	if err := o.push(text(strings.Repeat("x", 10)), 0); err != nil {
		t.Errorf("after that: %v", err)
	}
}
