package chaos_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// patience bounds every wait: what takes longer hangs. lifetime bounds connections, upgrades and heartbeats of clients
// that behave, since a visit is many waits, and a machine that is busy with other things makes each longer.
const (
	patience = time.Minute
	lifetime = 4 * time.Minute
)

// A visit is the life of one client at a server, and the account of it that both ends keep.
type visit struct {
	plan
	run   *run
	stack *stack
	token string
	ended chan struct{} // closed by OnDisconnect
	dice  *rand.Rand    // the server's; guarded by mu

	mu   sync.Mutex
	bell chan struct{} // closed at the next change
	sid  string

	// At the server.
	session     *engineio.Session
	connects    int
	disconnects int
	inside      int // callbacks under way
	reason      engineio.Reason
	err         error
	endedAt     time.Time
	heard       tally // of what the client sent
	twice       map[uint64]int
	answered    uint64 // echoes accepted
	high        bool   // OnHighWater was the last of the two
	down        uint64 // letters accepted
	owed        int    // bytes accepted

	// At the client.
	up      uint64 // letters sent
	odd     uint64 // of those that are sent twice
	echoes  tally
	got     tally
	news    tally
	loose   bool // the client loses what it is sent, by its own doing
	pongs   int
	goodbye bool // the server has said so
	code    int  // of its close frame
	lost    error
}

// A tally checks numbers that come one after the other.
type tally struct {
	last uint64
	n    uint64
	seen map[uint64]bool // where they may come in any order
}

// next notes a number. It fails when it came before, and when one before it is missing and none may be.
func (t *tally) next(seq uint64, gaps bool) error {
	if t.seen != nil {
		if t.seen[seq] || seq == 0 {
			return fmt.Errorf("number %d comes again", seq)
		}
		t.seen[seq] = true
	} else if seq <= t.last || !gaps && seq != t.last+1 {
		return fmt.Errorf("number %d after %d", seq, t.last)
	}
	t.last = max(t.last, seq)
	t.n++
	return nil
}

func newVisit(r *run, p plan) *visit {
	v := &visit{
		plan: p, run: r, stack: r.stacks[p.stack], token: fmt.Sprintf("w%dc%dr%d", p.wave, p.client, p.round),
		ended: make(chan struct{}),
		dice:  rand.New(rand.NewPCG(r.seed+1, p.stream())),
	}
	if v.stack.handlers > 1 {
		v.heard.seen, v.echoes.seen = make(map[uint64]bool), make(map[uint64]bool)
	}
	return v
}

// fail reports what must not be.
func (v *visit) fail(format string, args ...any) {
	v.run.fail(fmt.Sprintf("%v on %s: ", v.plan, v.stack.name) + fmt.Sprintf(format, args...))
}

// change runs f under the lock and wakes who waits.
func (v *visit) change(f func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f()
	if v.bell != nil {
		close(v.bell)
		v.bell = nil
	}
}

// await waits until f holds, which is called under the lock.
func (v *visit) await(f func() bool) bool {
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		v.mu.Lock()
		if f() {
			v.mu.Unlock()
			return true
		}
		if v.bell == nil {
			v.bell = make(chan struct{})
		}
		bell := v.bell
		v.mu.Unlock()
		select {
		case <-bell:
		case <-timer.C:
			return false
		}
	}
}

// receive checks a message that came to the client.
func (v *visit) receive(data []byte, binary bool) {
	l, err := read(data, binary)
	if err != nil {
		v.fail("the client got %v", err)
		return
	}
	v.run.figures.received(len(data))
	v.change(func() {
		gaps := v.loose || v.stack.drops()
		switch {
		case l.token != v.token && (l.token != everybody || l.kind != kindAll):
			err = fmt.Errorf("a letter of %s", l.token)
		case l.kind == kindDown:
			err = v.got.next(l.seq, gaps)
		case l.kind == kindEcho:
			err = v.echoes.next(l.seq, gaps)
		case l.kind == kindAll:
			err = v.news.next(l.seq, gaps || v.news.last == 0)
		default:
			err = fmt.Errorf("a letter of kind %c", l.kind)
		}
	})
	if err != nil {
		v.fail("the client got, as letter of kind %c with order %c: %v", l.kind, l.order, err)
	}
}

// hear checks a message that came to the server.
func (v *visit) hear(l letter) (err error) {
	v.change(func() {
		switch {
		case l.token != v.token:
			err = fmt.Errorf("a letter of %s", l.token)
		case l.kind == kindUp:
			err = v.heard.next(l.seq, false)
		case l.kind == kindTwice:
			if v.twice == nil {
				v.twice = make(map[uint64]int)
			}
			if v.twice[l.seq]++; v.twice[l.seq] > 2 {
				err = fmt.Errorf("number %d comes a third time", l.seq)
			}
		default:
			err = fmt.Errorf("a letter of kind %c", l.kind)
		}
		if err == nil && l.seq > max(v.up, v.odd) {
			err = fmt.Errorf("number %d, which nobody sent", l.seq)
		}
	})
	return err
}

// judge looks at the whole when the client has left.
func (v *visit) judge() {
	v.mu.Lock()
	connected, refused := v.connects > 0, v.fault != nil && v.fault.refused
	v.mu.Unlock()
	if connected == refused && !(v.run.closing.Load() && !connected) {
		v.fail("OnConnect has run: %v", connected)
	}
	if !connected {
		return
	}
	select {
	case <-v.ended:
	case <-time.After(patience):
		v.fail("OnDisconnect did not come, state of the client: %v", v.lost)
		return
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.run.figures.count("reason " + v.reason.String())
	dismissed := v.run.closing.Load() && (v.reason == engineio.ReasonShutdown || v.reason == engineio.ReasonDrain)
	if !dismissed && !slices.Contains(v.fits(), v.reason) {
		v.fail("ended with %v (%v), want one of %v, the client had %v", v.reason, v.err, v.fits(), v.lost)
	}
	if _, open := v.stack.srv.Session(v.sid); open {
		v.fail("the session can be found after its end")
	}
	if v.code != 0 && v.reason != transportError && !dismissed && v.code != v.reason.CloseCode() &&
		v.session.Transport() == engineio.WebSocket { // otherwise the code is that of a failed upgrade
		v.fail("close code %d for %v", v.code, v.reason)
	}
	v.stack.keep(v.sid)
	cut := v.run.closing.Load() && v.endedAt.After(v.run.cut) // what was queued may have been dropped
	switch {
	case !v.behaves() || cut:
	case dismissed:
		v.settleSends()
	default:
		v.settleUp()
	}
}

// settleSends checks that all came that was sent before the server's goodbye.
func (v *visit) settleSends() {
	if v.goodbye && (v.got.n != v.down || v.echoes.n != v.answered) {
		v.fail("%v: the client got %d of %d letters and %d of %d echoes before the goodbye",
			v.reason, v.got.n, v.down, v.echoes.n, v.answered)
	}
}

// settleUp checks that nothing is missing where the visit ended as planned.
func (v *visit) settleUp() {
	switch v.leaving {
	case leavePacket, leaveFrame:
		if v.heard.n != v.up && v.stack.handlers <= 1 { // several at once may meet the end
			v.fail("the server heard %d of %d letters before the client left", v.heard.n, v.up)
		}
	case leaveClose, leaveDisconnect:
		v.settleSends()
	}
	polling := v.session.Transport() == engineio.Polling
	mayMiss := v.leaving == leaveNow && polling // it has 2 seconds to ask, which may be too short for us
	if v.reason == engineio.ReasonServerClose && !v.goodbye && !mayMiss {
		v.fail("the server closed without a word, the client had %v", v.lost)
	}
	if polling != (v.way == enginetest.ByPolling) {
		v.fail("the session ended on %v", v.session.Transport())
	}
}
