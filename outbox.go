package engineio

import (
	"context"
	"encoding/base64"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A transport drains an outbox. There are two: polling and webSocket.
type transport interface {
	// wake tells that there is something to take. It is called under no lock, must not block,
	// and may come late or for nothing.
	wake()
}

const (
	chunkSize   = 64 << 10 // a chunk that has grown to this is followed by another
	chunkStart  = 1 << 10  // the first allocation of a chunk
	sharedFrom  = 1 << 10  // shared frames from this size on are referred to; below, copying is cheaper than an iovec
	corkTimeout = time.Millisecond
)

// A chunk is a run of queued packets. Packets are kept as the WebSocket frames that carry them:
// a frame delimits itself, a WebSocket writes the run as it stands, and long-polling translates.
type chunk struct {
	own    []byte // frames encoded for this session
	shared []byte // or frames of a Prepared, never written to
	plain  bool   // not to be compressed
	packed bool   // compressed for a WebSocket already, if it was worth it
	next   *chunk
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

func (c *chunk) frames() []byte {
	if c.shared != nil {
		return c.shared
	}
	return c.own
}

// release gives a whole list back to the pool. Buffers far above chunkSize stay out of it.
func (c *chunk) release() {
	for c != nil {
		next := c.next
		if cap(c.own) > 2*chunkSize {
			c.own = nil
		}
		*c = chunk{own: c.own[:0]}
		chunks.Put(c)
		c = next
	}
}

// What the outbox still does.
type outboxState uint8

const (
	outNew outboxState = iota // nothing yet: the open packet is to be the first
	outOpen
	outClosing // no more packets; what is queued leaves, then the last word
	outEnded   // no more packets; the last word is next
	outSilent  // the last word was taken
)

// An outbox is a session's send queue: where senders and the transport meet. It belongs to the
// session; the transport that holds it may drain it, and an upgrade is one change of holder, so
// that no packet moves, gets lost or leaves twice.
//
// Its lock is a leaf: no I/O, no callback and no other lock happens under it.
type outbox struct {
	limit    int // bytes
	revision codec.Revision
	textOnly bool        // the client cannot take binary: binary messages travel as base64
	packFrom int         // a holder with permessage-deflate compresses frames from this size on
	deflates atomic.Bool // the holder is such a WebSocket

	mu          sync.Mutex
	holder      transport
	first, last *chunk
	size        int    // bytes queued, frame headers included
	pushed      uint64 // packets accepted so far
	taken       uint64 // packets that a transport took off the queue
	left        uint64 // packets handed to a connection
	state       outboxState
	lost        bool          // packets were dropped, or a connection failed under them
	ready       bool          // the holder could write at once
	busy        bool          // the holder is draining and will look again before it stops
	loose       bool          // the present cork has lasted too long and is void
	armed       bool          // corkTimer runs
	corks       int           // senders that will call uncork
	bell        chan struct{} // closed when left, busy or state changes; made by who waits
	corkTimer   *time.Timer
}

// push queues one packet; data is copied. Pings pass the bound and are not counted: there is one
// in PingInterval at most, and a client that is slow but alive must not look dead.
func (o *outbox) push(p codec.Packet, opts SendOption) error {
	o.mu.Lock()
	if err := o.takes(p.Type, o.wireSize(p), opts); err != nil {
		o.mu.Unlock()
		return err
	}
	c := o.tail(len(p.Data)+16, opts&NoCompress != 0)
	before := len(c.own)
	c.own = appendFrame(c.own, o.revision, o.textOnly, p)
	n := len(c.own) - before
	if p.Type == codec.Ping {
		n = 0
	}
	wake := o.queued(n)
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	return nil
}

// open makes t the holder, queues the session's first packet and lets others follow. It fails when
// the session has ended before.
func (o *outbox) open(t transport, p codec.Packet) bool {
	o.mu.Lock()
	if o.state != outNew {
		o.mu.Unlock()
		return false
	}
	o.state, o.holder = outOpen, t
	o.mu.Unlock()
	return o.push(p, 0) == nil
}

// pushPrepared queues one packet that is encoded already.
func (o *outbox) pushPrepared(p *Prepared) error {
	if o.deflates.Load() {
		p.deflated(o.revision, o.textOnly) // may take a while, the first time, and not under the lock
	}
	o.mu.Lock()
	frame := p.frame(o.revision, o.textOnly)
	if err := o.takes(codec.Message, len(frame), p.opts); err != nil {
		o.mu.Unlock()
		return err
	}
	plain := p.opts&NoCompress != 0
	switch {
	case o.deflates.Load() && !plain && len(frame) >= o.packFrom:
		frame = p.deflated(o.revision, o.textOnly)
		c := o.add()
		c.shared, c.packed = frame, true
	case len(frame) < sharedFrom:
		c := o.tail(len(frame), plain)
		c.own = append(c.own, frame...)
	default:
		c := o.add()
		c.shared, c.plain = frame, plain
	}
	wake := o.queued(len(frame))
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	return nil
}

// pushPong queues the answer to a WebSocket ping, unless the queue is full: then the client has
// more to read than it reads.
func (o *outbox) pushPong(data []byte) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.takes(codec.Message, len(data), 0) != nil {
		return
	}
	c := o.tail(len(data)+16, true)
	before := len(c.own)
	c.own = append(ws.AppendHeader(c.own, ws.Pong, len(data)), data...)
	o.queued(len(c.own) - before) // wakes nobody: the reader, which calls this, has corked
}

// wireSize is how many bytes the frame of p will have.
func (o *outbox) wireSize(p codec.Packet) int {
	n := len(p.Data) + 1
	if p.Binary && o.textOnly {
		n = base64.StdEncoding.EncodedLen(len(p.Data)) + 2
	}
	return ws.HeaderLen(n) + n
}

// takes tells whether a packet of n bytes on the wire may be queued.
func (o *outbox) takes(t codec.Type, n int, opts SendOption) error {
	switch {
	case o.state != outOpen:
		return ErrClosed
	case opts&Volatile != 0 && !o.ready:
		return ErrNotReady
	case t != codec.Ping && !o.fits(n):
		return ErrQueueFull
	}
	return nil
}

// fits tells whether n more bytes may be queued. One message always may.
func (o *outbox) fits(n int) bool { return o.size == 0 || o.size+n <= o.limit }

// tail is the chunk for n more bytes of our own.
func (o *outbox) tail(n int, plain bool) *chunk {
	c := o.last
	if c == nil || c.shared != nil || c.plain != plain || len(c.own) > 0 && len(c.own)+n > chunkSize {
		c = o.add()
		c.plain = plain
	}
	if need := len(c.own) + n; need > cap(c.own) {
		grown := make([]byte, len(c.own), max(need, 2*cap(c.own), chunkStart))
		copy(grown, c.own)
		c.own = grown
	}
	return c
}

func (o *outbox) add() *chunk {
	c := chunks.Get().(*chunk)
	if o.last == nil {
		o.first = c
	} else {
		o.last.next = c
	}
	o.last = c
	return c
}

// queued counts a packet of n bytes and names the transport to wake, if it is to be woken.
func (o *outbox) queued(n int) transport {
	o.pushed++
	o.size += n
	switch {
	case o.busy:
		return nil
	case o.corks > 0 && !o.loose:
		o.arm()
		return nil
	}
	return o.holder
}

// arm sees to it that a callback that sends and then takes its time does not hold back what it
// sent for longer than corkTimeout.
func (o *outbox) arm() {
	if o.armed {
		return
	}
	o.armed = true
	if o.corkTimer == nil {
		o.corkTimer = time.AfterFunc(corkTimeout, o.loosen)
		return
	}
	o.corkTimer.Reset(corkTimeout)
}

func (o *outbox) loosen() {
	o.mu.Lock()
	o.armed = false
	o.loose = o.corks > 0
	wake := o.holder
	if o.busy || o.first == nil {
		wake = nil
	}
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
}

// cork holds sends back until uncork, so that the answers to a batch of incoming packets leave
// together.
func (o *outbox) cork() {
	o.mu.Lock()
	o.corks++
	o.loose = false
	o.mu.Unlock()
}

// uncork names the transport to wake, if there is something to take.
func (o *outbox) uncork() transport {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.corks--
	if o.corks > 0 {
		return nil
	}
	if o.armed {
		o.corkTimer.Stop()
		o.armed = false
	}
	if o.busy || !o.pending() {
		return nil
	}
	return o.holder
}

func (o *outbox) pending() bool {
	return o.first != nil || o.state == outClosing || o.state == outEnded
}

func (o *outbox) holds(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.holder == t
}

// pass makes t the holder, whoever was it before. One that is closing in good order passes, with
// all that is queued and the last word: the client has stopped to poll by then. It fails when
// the queue was dropped or the last word was taken.
func (o *outbox) pass(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.state != outOpen && o.state != outClosing {
		return false
	}
	o.holder, o.ready = t, true
	return true
}

// take hands over all that is queued, in order, and tells whether the last word is due after
// it. The caller releases the chunks when they are written and calls wrote with the count.
// It fails with errUpgraded for a transport that is not the holder (any more) and with ErrClosed
// after the last word.
func (o *outbox) take(t transport) (c *chunk, n uint64, last bool, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.state == outSilent:
		return nil, 0, false, ErrClosed
	case o.holder != t:
		return nil, 0, false, errUpgraded
	}
	o.ready = o.first == nil && o.state == outOpen // it will wait
	c = o.first
	n = o.pushed - o.taken
	o.taken = o.pushed
	o.first, o.last, o.size = nil, nil, 0
	if o.state != outOpen {
		o.state = outSilent
		last = true
	}
	return c, n, last, nil
}

// wrote says what became of n taken packets: handed to a connection, or lost with it.
func (o *outbox) wrote(n uint64, err error) {
	o.mu.Lock()
	o.left += n
	if err != nil {
		o.left -= n
		o.lost = true
	}
	o.ring()
	o.mu.Unlock()
}

// claim gives t the sole right to take, until a rest. It fails when somebody has it, when t is
// not the holder, or when there is nothing to do.
func (o *outbox) claim(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy || o.holder != t || !o.pending() {
		return false
	}
	o.busy, o.ready = true, false
	return true
}

// rest ends a claim unless something was queued meanwhile.
func (o *outbox) rest() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pending() {
		return false
	}
	o.busy, o.ready = false, true
	o.ring()
	return true
}

// away says that the holder has stopped waiting.
func (o *outbox) away() {
	o.mu.Lock()
	o.ready = false
	o.mu.Unlock()
}

// end refuses further packets. In good order what is queued still leaves; otherwise it is
// dropped. It tells whether the last word is still to be said.
func (o *outbox) end(goodOrder bool) bool {
	o.mu.Lock()
	switch {
	case o.state == outSilent:
	case goodOrder && o.state == outClosing:
	case goodOrder && o.state == outOpen:
		o.state = outClosing
	default:
		o.state = outEnded
		o.discard()
	}
	due, wake := o.state != outSilent, o.holder
	if !goodOrder && o.armed {
		o.corkTimer.Stop()
		o.armed = false
	}
	o.ring()
	o.mu.Unlock()
	if wake != nil && due {
		wake.wake()
	}
	return due
}

// drop waits until nobody drains for t and takes its hold away. After it no goroutine touches t's
// connection on behalf of this outbox.
func (o *outbox) drop(t transport) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.quiet()
	if o.holder != t {
		return false
	}
	o.holder = nil
	o.state = outSilent
	o.discard()
	o.ring()
	return true
}

// settle waits until nobody drains.
func (o *outbox) settle() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.quiet()
}

// quiet is settle for who holds the lock, which it gives up meanwhile.
func (o *outbox) quiet() {
	for o.busy {
		bell := o.listen()
		o.mu.Unlock()
		<-bell
		o.mu.Lock()
	}
}

// discard drops what is queued.
func (o *outbox) discard() {
	if o.first == nil {
		return
	}
	o.first.release()
	o.first, o.last, o.size = nil, nil, 0
	o.taken = o.pushed
	o.lost = true
}

// flush waits until every packet queued before the call has been handed to a connection.
func (o *outbox) flush(ctx context.Context) error {
	o.mu.Lock()
	goal, wake := o.pushed, o.holder
	if o.busy || o.first == nil {
		wake = nil
	}
	o.mu.Unlock()
	if wake != nil {
		wake.wake()
	}
	for {
		o.mu.Lock()
		switch {
		case o.left >= goal:
			o.mu.Unlock()
			return nil
		case o.lost:
			o.mu.Unlock()
			return ErrClosed
		}
		bell := o.listen()
		o.mu.Unlock()
		select {
		case <-bell:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (o *outbox) listen() <-chan struct{} {
	if o.bell == nil {
		o.bell = make(chan struct{})
	}
	return o.bell
}

func (o *outbox) ring() {
	if o.bell != nil {
		close(o.bell)
		o.bell = nil
	}
}

// appendFrame appends the WebSocket frame that carries p.
func appendFrame(dst []byte, rev codec.Revision, textOnly bool, p codec.Packet) []byte {
	if p.Binary && textOnly {
		return appendBase64Frame(dst, rev, p)
	}
	op, n := ws.Text, len(p.Data)+1
	if p.Binary {
		op = ws.Binary
		if rev == codec.V4 {
			n-- // no type byte
		}
	}
	return rev.AppendMessage(ws.AppendHeader(dst, op, n), p)
}

// appendBase64Frame appends a binary packet as the text frame b... (revision 3: b4...).
func appendBase64Frame(dst []byte, rev codec.Revision, p codec.Packet) []byte {
	n := len("b") + base64.StdEncoding.EncodedLen(len(p.Data))
	if rev == codec.V3 {
		n++
	}
	return rev.AppendText(ws.AppendHeader(dst, ws.Text, n), p)
}
