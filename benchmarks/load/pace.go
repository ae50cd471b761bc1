package main

import (
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

// pacer sends what is due. It is one goroutine for all clients, on a thread of its own whose sleep
// is exact to some 0.1 ms; a timer of the runtime may come a millisecond late.
type pacer struct {
	*schedule
	senders []sender // by the clients' places in the schedule
}

// sender is a client of the open loop.
type sender interface {
	// send sends message seq of the client; it counts up from 0.
	send(seq int64) error
	base() *player
}

// run sends until stop. A client whose connection is broken is left out from then on.
func (p *pacer) run(stop *atomic.Bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	broken := make([]bool, len(p.senders))
	for k := int64(0); !stop.Load(); {
		t := now()
		if due := p.at(k); t < due {
			sleep(due - t)
			continue
		}
		for ; p.at(k) <= t; k++ {
			place, seq := p.whose(k)
			s := p.senders[place]
			if broken[place] || s.base().ended.Load() {
				continue
			}
			s.base().sent.Add(1)
			broken[place] = s.send(seq) != nil // its reader says why
		}
	}
}

// sleep lets at least 50 us pass, so that what is due at nearly the same time leaves together, and
// 10 ms at most, so that stop is seen.
func sleep(d int64) {
	d = min(max(d, 50_000), int64(10*time.Millisecond))
	t := syscall.NsecToTimespec(d)
	_ = syscall.Nanosleep(&t, nil)
}

// finish waits until the readers have everything, and wakes those that wait for more. The watch
// ends those that wait in vain.
func finish(senders []sender) {
	for _, s := range senders {
		for p := s.base(); !p.ended.Load(); time.Sleep(5 * time.Millisecond) {
			if _, waiting := p.late(); !waiting {
				p.wake()
			}
		}
	}
}
