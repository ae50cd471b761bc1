package engineio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A bell is a transport that only notes that it was woken.
type bell struct{ count atomic.Int64 }

func (b *bell) send() { b.wake() }

func (b *bell) wake() { b.count.Add(1) }

// rung is how often it was woken since the last call.
func (b *bell) rung() int { return int(b.count.Swap(0)) }

// openOutbox is an empty outbox that b holds.
func openOutbox(b transport, limit int) *outbox {
	return &outbox{limit: limit, budget: &budget{limit: 1 << 30}, revision: V4, state: outOpen, holder: b}
}

// takeAll takes the queue for b, and gives the chunks back.
func takeAll(t *testing.T, o *outbox, b transport) (packets []string, last bool) {
	t.Helper()
	taken, err := o.take(b)
	queue, n, last := taken.first, taken.packets, taken.closes
	if err != nil {
		t.Fatalf("take: %v", err)
	}
	packets = texts(o.revision, queue)
	if uint64(len(packets)) != n {
		t.Errorf("took %d packets, counted %d", len(packets), n)
	}
	o.free(queue)
	o.finished(n, nil)
	return packets, last
}

func TestOutboxKeepsOrder(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		t.Run(fmt.Sprint(rev), func(t *testing.T) {
			b := new(bell)
			o := openOutbox(b, 1<<20)
			o.revision = rev
			long := strings.Repeat("x", 2*sharedFrom)
			var want []string
			for i := range 100 {
				small, large := PrepareText(fmt.Sprint("small ", i)), PrepareText(fmt.Sprint(long, i))
				for _, err := range []error{
					o.push(text(fmt.Sprint("text ", i)), 0),
					o.push(blob([]byte{1, 2, byte(i)}), 0),
					o.push(ping(), 0),
					o.pushPrepared(small),
					o.pushPrepared(large),
				} {
					if err != nil {
						t.Fatal(err)
					}
				}
				want = append(want, fmt.Sprint("4text ", i), string(codec.V4.AppendText(nil, blob([]byte{1, 2, byte(i)}))), "2",
					fmt.Sprint("4small ", i), fmt.Sprint("4", long, i))
			}
			got, last := takeAll(t, o, b)
			if !slices.Equal(got, want) || last {
				t.Errorf("took %d packets, last %v; want %d in the order of their sends", len(got), last, len(want))
			}
			if o.first != nil || o.last != nil || o.size != 0 {
				t.Error("the queue is not empty after take")
			}
		})
	}
}

func TestOutboxBound(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 100)
	huge := strings.Repeat("h", 1000)
	if err := o.push(text(huge), 0); err != nil {
		t.Fatalf("one message does not fit into an empty queue: %v", err)
	}
	for what, err := range map[string]error{
		"a text":   o.push(text("a"), 0),
		"binary":   o.push(blob([]byte{1}), 0),
		"prepared": o.pushPrepared(PrepareText("a")),
	} {
		if !errors.Is(err, ErrQueueFull) {
			t.Errorf("%s on a full queue: %v, want ErrQueueFull", what, err)
		}
	}
	if err := o.push(ping(), 0); err != nil {
		t.Errorf("a ping on a full queue: %v", err)
	}
	for range 3 { // a client can ask for it at will, and gets one
		if err := o.push(codec.Packet{Type: codec.Pong}, 0); err != nil {
			t.Errorf("a pong on a full queue: %v", err)
		}
	}
	o.pushPong([]byte("left out"))
	if got, _ := takeAll(t, o, b); !slices.Equal(got, []string{"4" + huge, "2", "3"}) {
		t.Errorf("took %.20q, want the huge one, a ping and a pong", got)
	}
	if err := o.pushPrepared(PrepareText(huge)); err != nil {
		t.Errorf("after take: %v", err)
	}
}

func TestOutboxBoundIsBytesOnTheWire(t *testing.T) {
	const limit = 10_000
	o := openOutbox(new(bell), limit)
	n := 0
	for o.push(text("12345678"), 0) == nil { // 9 of payload, 2 of header
		n++
	}
	if frame := 11; n < limit/frame-1 || n > limit/frame+1 || o.size != n*frame {
		t.Errorf("%d messages fit and weigh %d, want about %d", n, o.size, limit/frame)
	}
}

// around are message sizes at which a header, a chunk or a buffer changes.
func around() (sizes []int) {
	for _, n := range []int{1, 125, 1 << 10, 1 << 15, chunkSize, 1<<16 - 1, 2 * chunkSize, 3 * chunkSize} {
		for d := -18; d <= 18; d++ {
			sizes = append(sizes, max(0, n+d))
		}
	}
	return sizes
}

func TestOutboxChunkBoundaries(t *testing.T) {
	for _, kind := range []struct {
		rev      Revision
		textOnly bool
	}{{V4, false}, {V3, false}, {V4, true}, {V3, true}} {
		b := new(bell)
		o := openOutbox(b, 1<<30)
		o.revision = kind.rev
		o.textOnly = kind.textOnly
		data := make([]byte, 4*chunkSize)
		for _, n := range around() {
			first, second := blob(data[:n]), text(string(data[:n/2]))
			if o.push(first, 0) != nil || o.push(second, 0) != nil {
				t.Fatal("a push failed")
			}
			if c := o.last; len(c.own) > 2*chunkSize && c.own[0]&0x0f == byte(ws.Text) && !kind.textOnly && n/2 < chunkSize/2 {
				t.Errorf("a message of %d bytes follows a large one in its chunk", n/2)
			}
		}
		sum := 0
		for c := o.first; c != nil; c = c.next {
			sum += len(c.own)
		}
		if sum != o.size {
			t.Errorf("%v: chunks hold %d bytes, counted %d", kind, sum, o.size)
		}
		if sizes := sizesOf(o, b); !slices.Equal(sizes, wantSizes()) {
			t.Errorf("%v: messages changed their sizes at a boundary", kind)
		}
	}
}

// sizesOf takes the queue, and gives the sizes of its messages.
func sizesOf(o *outbox, b transport) (sizes []int) {
	taken, _ := o.take(b)
	queue := taken.first
	defer o.free(queue)
	for c := queue; c != nil; c = c.next {
		for frames := c.frames(); len(frames) > 0; {
			op, payload, rest := ws.Split(frames)
			p, err := o.revision.DecodeMessage(op == ws.Binary, payload)
			if err != nil {
				return nil
			}
			sizes, frames = append(sizes, len(p.Data)), rest
		}
	}
	return sizes
}

func wantSizes() (sizes []int) {
	for _, n := range around() {
		sizes = append(sizes, n, n/2)
	}
	return sizes
}

func TestOutboxRefersToLargeSharedFrames(t *testing.T) {
	for _, c := range []struct {
		frame  int
		shared bool
	}{{4, false}, {sharedFrom - 1, false}, {sharedFrom, true}, {1 << 20, true}} {
		b := new(bell)
		o := openOutbox(b, 1<<30)
		header := ws.HeaderLen(c.frame - 4)
		prepared := PrepareText(strings.Repeat("4", c.frame-header-1))
		frame := prepared.frame(V4, false)
		before := string(frame)
		for _, err := range []error{o.push(text("before"), 0), o.pushPrepared(prepared), o.push(text("after"), 0)} {
			if err != nil {
				t.Fatal(err)
			}
		}
		referred := false
		for c := o.first; c != nil; c = c.next {
			referred = referred || unsafe.SliceData(c.frames()) == unsafe.SliceData(frame)
		}
		if referred != c.shared {
			t.Errorf("a frame of %d bytes: referred to %v, want %v", c.frame, referred, c.shared)
		}
		if got, _ := takeAll(t, o, b); len(got) != 3 || got[0] != "4before" || got[2] != "4after" {
			t.Errorf("a frame of %d bytes: took %d packets", c.frame, len(got))
		}
		for range 100 { // whoever gets the chunks next does not write to the frame
			_ = o.push(text("overwrites what it may"), 0)
		}
		if string(frame) != before {
			t.Errorf("a shared frame of %d bytes was written to", c.frame)
		}
	}
}

// What a session sends is copied at once.
func TestOutboxCopies(t *testing.T) {
	b := new(bell)
	o := openOutbox(b, 1<<20)
	data := []byte{1, 2, 3}
	_ = o.push(blob(data), 0)
	clear(data)
	if got, _ := takeAll(t, o, b); !slices.Equal(got, []string{"bAQID"}) {
		t.Errorf("took %q", got)
	}
}

// A pool's entries cost about the same: one large message does not stay in it.
func TestChunkPoolHasACap(t *testing.T) {
	for _, c := range []struct {
		capacity int
		keep     bool
	}{{chunkStart, true}, {2 * chunkSize, true}, {2*chunkSize + 1, false}, {1 << 20, false}} {
		head := &chunk{own: make([]byte, 1, c.capacity), next: &chunk{shared: []byte("frame")}}
		head.release()
		if kept := cap(head.own) > 0; kept != c.keep || len(head.own) > 0 || head.next != nil {
			t.Errorf("of %d bytes: kept %v, want %v, empty and alone", c.capacity, kept, c.keep)
		}
	}
	var none *chunk
	none.release()
}

func TestOutboxEnd(t *testing.T) {
	for _, c := range []struct {
		name      string
		goodOrder []bool // the calls of end
		want      []string
		flushed   bool
	}{
		{"in good order", []bool{true}, []string{"4queued"}, true},
		{"twice in good order", []bool{true, true}, []string{"4queued"}, true},
		{"dropped", []bool{false}, nil, false},
		{"in good order, then dropped", []bool{true, false}, nil, false},
		{"dropped, then in good order", []bool{false, true}, nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := new(bell)
			o := openOutbox(b, 1<<20)
			_ = o.push(text("queued"), 0)
			for _, goodOrder := range c.goodOrder {
				b.rung()
				if !o.end(goodOrder) || b.rung() == 0 {
					t.Error("the last word is not due, or nobody was told")
				}
			}
			if err := o.push(text("late"), 0); !errors.Is(err, ErrClosed) {
				t.Errorf("push after the end: %v", err)
			}
			if err := o.pushPrepared(PrepareText("late")); !errors.Is(err, ErrClosed) {
				t.Errorf("pushShared after the end: %v", err)
			}
			o.pushPong([]byte("late"))
			if got, last := takeAll(t, o, b); !slices.Equal(got, c.want) || !last {
				t.Errorf("took %q, last %v; want %q and the last word", got, last, c.want)
			}
			if err := o.flush(t.Context()); (err == nil) != c.flushed || err != nil && !errors.Is(err, ErrClosed) {
				t.Errorf("flush: %v", err)
			}
		})
	}
}

// A client that leaves its last GET ends its session on long-polling, or an upgrade has the session: never both.
func TestDesertedOutboxDoesNotPass(t *testing.T) {
	poll, socket := new(bell), new(bell)
	o := openOutbox(poll, 1000)
	if !o.abandon(poll) || o.transfer(poll, socket, false, false) {
		t.Error("it passes on after its client has left")
	}
	o = openOutbox(poll, 1000)
	if !o.transfer(poll, socket, false, false) || o.abandon(poll) {
		t.Error("a former holder gives it up")
	}
	if o.transfer(poll, new(bell), false, false) {
		t.Error("it passes from a former holder")
	}
}

func TestOutboxAfterTheLastWord(t *testing.T) {
	b, other := new(bell), new(bell)
	o := openOutbox(b, 1<<20)
	if _, err := o.take(other); !errors.Is(err, errUpgraded) {
		t.Errorf("take by another: %v, want errUpgraded", err)
	}
	o.close()
	if _, last := takeAll(t, o, b); !last {
		t.Fatal("no last word")
	}
	if o.transfer(b, other, false, false) {
		t.Error("the outbox changes hands after the last word")
	}
	for _, holder := range []transport{b, other} {
		if _, err := o.take(holder); !errors.Is(err, ErrClosed) {
			t.Errorf("take after the last word: %v, want ErrClosed", err)
		}
	}
	b.rung()
	if o.close() || o.abort() || b.rung() > 0 {
		t.Error("the last word is due twice")
	}
	if o.claim(b) {
		t.Error("something is left to drain")
	}
}

// A session may end before it is open: while OnHandshake runs, or before the hijack.
func TestOutboxEndsBeforeItOpens(t *testing.T) {
	for _, goodOrder := range []bool{true, false} {
		b := new(bell)
		o := &outbox{limit: 1 << 20, budget: &budget{limit: 1 << 30}, revision: V4}
		o.end(goodOrder)
		if o.open(b, codec.Packet{Type: codec.Open, Data: []byte("{}")}) {
			t.Errorf("ended with %v: it opens", goodOrder)
		}
		if err := o.push(text("late"), 0); !errors.Is(err, ErrClosed) {
			t.Errorf("ended with %v: a send is accepted: %v", goodOrder, err)
		}
	}
}

// What a client can have queued by its pings costs about the memory that the bound allows.
func TestOutboxMemoryUnderPings(t *testing.T) {
	const limit = 1 << 18
	message := func(o *outbox) error { return o.push(text("x"), 0) }
	plain := func(o *outbox) error { return o.push(text("x"), NoCompress) }
	old := func(o *outbox) error { return o.push(codec.Packet{Type: codec.Pong}, 0) } // the answer in revision 3
	frame := func(o *outbox) error { o.pushPong(nil); return nil }
	for name, sends := range map[string][]func(*outbox) error{
		"messages":                 {message, frame},
		"messages with NoCompress": {plain, frame},
		"pings of revision 3":      {old, frame},
		"several":                  {frame, message, frame, old, frame, frame},
	} {
		o := openOutbox(new(bell), limit)
		for range limit {
			for _, send := range sends {
				_ = send(o)
			}
		}
		held, queued := 0, 0
		for c := o.first; c != nil; c = c.next {
			held += cap(c.own)
			queued += len(c.own)
		}
		if queued < limit/2 || queued > limit+3 || held > 3*limit {
			t.Errorf("%s: %d bytes in %d, the bound is %d", name, queued, held, limit)
		}
	}
}

// Nobody but the holder can say that it has stopped waiting: a GET may outlive the upgrade.
func TestAwayOfAnother(t *testing.T) {
	poll, socket := new(bell), new(bell)
	o := openOutbox(poll, 1000)
	takeAll(t, o, poll)
	o.transfer(poll, socket, false, false)
	o.setNotReady(poll)
	if err := o.push(text("x"), Volatile); err != nil {
		t.Errorf("away of the former holder: %v", err)
	}
	takeAll(t, o, socket)
	o.setNotReady(socket)
	if err := o.push(text("x"), Volatile); !errors.Is(err, ErrNotReady) {
		t.Errorf("away of the holder: %v", err)
	}
}
