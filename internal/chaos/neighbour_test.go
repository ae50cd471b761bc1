package chaos_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fasteio/engineio"
)

// neighbours make the process a bad place to live in, until ctx ends: one allocates and collects, one burns the
// processor, and for each server one sends from outside of callbacks.
func (r *run) neighbours(ctx context.Context, wave int) *sync.WaitGroup {
	var all sync.WaitGroup
	dice := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(r.seed+2, uint64(wave)<<56|n)) }
	all.Go(func() { hoard(ctx, dice(0)) })
	all.Go(func() { burn(ctx, dice(1)) })
	for i, s := range r.stacks {
		all.Go(func() { r.announce(ctx, s, dice(uint64(2+i))) })
	}
	return &all
}

// rest waits up to n milliseconds; false when ctx has ended.
func rest(ctx context.Context, dice *rand.Rand, n int) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(time.Duration(dice.IntN(n*1000)) * time.Microsecond):
		return true
	}
}

// hoard allocates and collects at odd moments.
func hoard(ctx context.Context, dice *rand.Rand) {
	var kept [16][]byte
	for rest(ctx, dice, 40) {
		kept[dice.IntN(len(kept))] = make([]byte, dice.IntN(4<<20))
		switch dice.IntN(40) {
		case 0, 1:
			runtime.GC()
		case 2:
			debug.FreeOSMemory()
		}
	}
	runtime.KeepAlive(&kept)
}

// burn takes all processors for up to 15 ms now and then.
func burn(ctx context.Context, dice *rand.Rand) {
	for rest(ctx, dice, 600) {
		end := time.Now().Add(time.Duration(dice.IntN(15_000)) * time.Microsecond)
		var all sync.WaitGroup
		for range runtime.GOMAXPROCS(0) {
			all.Go(func() {
				for time.Now().Before(end) {
				}
			})
		}
		all.Wait()
	}
}

// announce broadcasts, and sends to sessions from a goroutine that is none of theirs.
func (r *run) announce(ctx context.Context, s *stack, dice *rand.Rand) {
	for rest(ctx, dice, 200+2**clientsFlag) {
		if !s.quiet {
			pad, binary := pad(dice, upTo(padSmall))
			s.announced++
			data := letter{everybody, kindAll, orderNone, s.announced}.append(nil, pad, binary)
			s.srv.Broadcast(engineio.Prepare(engineio.Message{Data: data, Binary: binary}, 0))
			r.figures.count("broadcasts")
		}
		for session := range s.srv.Sessions() {
			if v := visitor(session); v != nil && dice.IntN(4) == 0 {
				v.visitFromOutside(ctx, session, dice)
			}
		}
	}
}

// visitFromOutside sends a little, volatile or not, and may wait until it has left.
func (v *visit) visitFromOutside(ctx context.Context, s *engineio.Session, dice *rand.Rand) {
	for range dice.IntN(3) + 1 {
		v.deliver(s, upTo(16<<10), engineio.SendOption(dice.IntN(2))*engineio.Volatile)
	}
	if dice.IntN(8) == 0 {
		short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
		defer cancel()
		if s.Flush(short) == nil {
			v.run.figures.count("flushes from outside")
		}
	}
}
