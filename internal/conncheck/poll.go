// Package conncheck parks a long-poll request and notices when its client has gone.
//
// fasthttp does not read from a connection while its handler runs, so it never tells a handler that
// the client hung up. The handler can look for itself: it waits in the runtime's netpoller on the
// very socket that carries its request, with no goroutine and no timer beside it.
package conncheck

import (
	"errors"
	"net"
	"os"
	"reflect"
	"sync"
	"syscall"
	"time"
)

// past is a deadline that fails a pending read at once.
var past = time.Unix(1, 0)

// Poll is the parking place of one session's long-poll requests, used for request after request but
// for one at a time. The zero value is ready; a Poll must not be copied after first use.
//
// Wake may be called by any goroutine at any time. The other methods belong to the goroutine that
// serves the request, and whoever serves the next one must be synchronised with it (the lock that
// refuses overlapping polls does).
//
//	p.Arm()
//	for queue.Empty() {
//		if !p.Wait(conn) {
//			return gone
//		}
//		p.Arm()
//	}
//
// Poll detects an orderly close, a half close and a reset on Linux, also behind bytes nobody has read
// (pipelined requests, TLS's close_notify): within a millisecond once it has waited for 5 ms, before that at
// the end of those. Other Unix systems do not see past unread bytes. A wrapper that offers what it wraps, by NetConn or
// Raw, is opened; the connection that another embeds is looked at once a second. On Windows and on connections without a
// descriptor Poll only waits for Wake, and the heartbeat has to end the session; see Blind. What a wrapper has buffered
// does not matter: an end of the stream is one, whatever was sent before it.
type Poll struct {
	mu      sync.Mutex
	woken   bool        // Wake was called since Arm
	parked  bool        // Wait is in the netpoller: Wake may set the deadline of conn
	late    bool        // the time to sit has passed
	changed sync.Cond   // woken or late; its lock is mu
	sitting *time.Timer // sets late. Made by the first sit, and not pooled: it may belong to a synctest bubble

	// What follows is touched by the serving goroutine; Wake reads conn while parked is set.
	gone  bool            // result of the last probe
	conn  net.Conn        // the connection beneath TLS and wrappers, kept from wait to wait
	ours  bool            // the deadlines of conn may be set, and a wait may park there
	raw   syscall.RawConn // of conn: SyscallConn allocates, and a client polls on one connection
	check func(uintptr) bool
	probe func(uintptr)
}

// Arm forgets earlier calls of Wake. Call it before looking at what Wake announces: a Wake after the
// look then ends the Wait that follows, and none is lost.
func (p *Poll) Arm() {
	p.mu.Lock()
	p.woken = false
	p.mu.Unlock()
}

// Wake ends the Wait in progress, or the next one if Arm is not called in between. A wake-up meant for
// an earlier request may end a later Wait too early, never more than that: look again and wait again.
func (p *Poll) Wake() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.woken {
		return
	}
	p.woken = true
	p.changed.Signal()
	if p.parked {
		p.conn.SetReadDeadline(past)
	}
}

// Wait blocks until Wake has been called since Arm, or the peer of c has gone; it reports whether the peer
// was still there. It does not look for a peer when it is woken within 5 ms: a FIN of that time may as well be under
// way. It reads nothing from c. While it runs the read deadline of c is its own (but where the
// connection was found in a stranger's wrapper); it leaves
// with no deadline set, which is right under fasthttp: a server with timeouts arms its own before it
// reads again, and one without must not inherit ours.
func (p *Poll) Wait(c net.Conn) (alive bool) {
	p.use(c)
	p.mu.Lock()
	if p.woken {
		p.mu.Unlock()
		return true
	}
	if p.raw == nil || !p.ours {
		return p.lookNowAndThen(c)
	}
	if p.sit(sitTime) {
		p.mu.Unlock()
		return true
	}
	p.conn.SetReadDeadline(time.Time{}) // ReadTimeout was for reading the request
	p.parked = true
	p.mu.Unlock()

	p.gone = false
	err := p.raw.Read(p.check)

	p.mu.Lock()
	p.parked = false // from here on Wake leaves the connection alone
	p.mu.Unlock()
	p.conn.SetReadDeadline(time.Time{})
	if p.gone || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	return !p.Gone(c) // a wake-up and a hang-up at once: the wake-up ends the wait, and says nothing of the other
}

// sit is the first part of a Wait, for Wake alone and without a look at the connection. Most polls of a busy
// session end here, and are spared two or three system calls and three deadlines: a sixth of what a message by
// long-polling costs. The caller holds p.mu, which sit gives up meanwhile.
func (p *Poll) sit(atMost time.Duration) (woken bool) {
	p.late = false
	if p.sitting == nil {
		p.sitting = time.AfterFunc(atMost, p.rise)
	} else {
		p.sitting.Reset(atMost)
	}
	for !p.woken && !p.late {
		p.changed.Wait()
	}
	p.sitting.Stop()
	return p.woken
}

// lookNowAndThen is Wait where nothing may be parked on. A connection that was found in a stranger's wrapper is
// looked at every lookTime. The caller holds p.mu, which is given up.
func (p *Poll) lookNowAndThen(c net.Conn) (alive bool) {
	for p.raw != nil && !p.sit(lookTime) {
		p.mu.Unlock()
		if p.Gone(c) {
			return false
		}
		p.mu.Lock()
	}
	for !p.woken {
		p.changed.Wait()
	}
	p.mu.Unlock()
	return !p.Gone(c)
}

// rise ends a sit. One that comes late ends the next too early, and the parking begins.
func (p *Poll) rise() {
	p.mu.Lock()
	p.late = true
	p.changed.Signal()
	p.mu.Unlock()
}

const (
	sitTime  = 5 * time.Millisecond
	lookTime = time.Second
)

// Gone reports whether the peer of c is known to have hung up. It does not block (half a microsecond on Linux) and
// changes nothing; ask just before taking packets off a queue to answer with. False where Wait cannot
// tell either.
func (p *Poll) Gone(c net.Conn) bool {
	p.use(c)
	if p.raw == nil {
		return false
	}
	p.gone = false
	return p.raw.Control(p.probe) != nil || p.gone
}

// Gone is Poll.Gone for who parks nothing.
func Gone(c net.Conn) bool {
	var p Poll
	return p.Gone(c)
}

// Release lets go of the last connection, which is otherwise kept reachable from one Wait to the next to
// spare two allocations. Call it when no request will be parked again; the Poll stays usable.
func (p *Poll) Release() {
	p.mu.Lock()
	p.conn, p.raw = nil, nil
	p.mu.Unlock()
}

// use makes c, or what c wraps, the connection to watch.
func (p *Poll) use(c net.Conn) {
	if p.check == nil {
		p.changed.L = &p.mu
		p.check = func(fd uintptr) bool { p.gone = hungUp(fd); return p.gone }
		p.probe = func(fd uintptr) { p.gone = hungUp(fd) }
	}
	c, ours := unwrap(c)
	if c != nil && reflect.TypeOf(c).Comparable() && c == p.conn {
		return
	}
	p.mu.Lock()
	p.conn, p.raw, p.ours = nil, nil, ours
	if sc, ok := c.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			p.conn, p.raw = c, raw
		}
	}
	p.mu.Unlock()
}
