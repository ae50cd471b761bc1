package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestChaos lets a wave of clients come and go, takes the census, lets others come for as long as it was told to,
// and takes the census again.
func TestChaos(t *testing.T) {
	r := &run{t: t, seed: *seedFlag}
	say("seed %d, %v, %d clients, %d servers, %d faults, GOMAXPROCS %d, race detector %v\nreplay: %s",
		r.seed, *durationFlag, *clientsFlag, len(flavours), len(faults), runtime.GOMAXPROCS(0), raceEnabled, replay())
	for _, f := range flavours {
		r.stacks = append(r.stacks, startStack(t, f, r.config()))
	}
	t.Cleanup(r.stop)
	prime(t)
	r.greet()
	empty := take()

	before := r.phase(1, min(*durationFlag, max(time.Second, *durationFlag/6)), empty)
	after := r.phase(2, *durationFlag, empty)
	r.checkRegistries()
	r.checkHeap(before, after)
	r.lastWave()
	r.settle(empty)

	r.tell(empty, before, after)
	if n := r.failures.Load(); n > 0 {
		t.Errorf("%d failures, seed %d, to replay: %s", n, r.seed, replay())
	}
}

// lastWave has clients that the servers' end meets in the middle: half are drained first.
func (r *run) lastWave() {
	var ends sync.WaitGroup
	ends.Go(func() { r.wave(3, time.Second) })
	time.Sleep(time.Second / 2)
	r.cut = time.Now().Add(3 * time.Second)
	r.closing.Store(true)
	for i, s := range r.stacks {
		ends.Go(func() { r.end(s, i%2 == 0) })
	}
	ends.Wait()
	r.judgeLate()
}

// end shuts a server down, by r.cut: clients that have vanished do not take leave.
func (r *run) end(s *stack, drain bool) {
	ctx, cancel := context.WithDeadline(context.Background(), r.cut)
	defer cancel()
	if drain {
		short, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		if err := s.srv.Drain(short, time.Second/4); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			r.fail(fmt.Sprintf("%s: Drain: %v", s.name, err))
		}
	}
	if err := s.srv.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		r.fail(fmt.Sprintf("%s: Shutdown: %v", s.name, err))
	}
}

func say(format string, args ...any) { fmt.Fprintf(os.Stdout, format+"\n", args...) }

// greet makes one request to every server: its first starts what lives as long as it does.
func (r *run) greet() {
	for _, s := range r.stacks {
		l := &line{stack: s}
		if err := s.forgot(l, "nobody"); err != nil {
			r.t.Fatal(err)
		}
		l.close()
	}
	r.still()
}

// still waits until the number of goroutines does not change any more.
func (r *run) still() {
	for n, same := -1, 0; same < 10; time.Sleep(50 * time.Millisecond) {
		same++
		if now := goroutines(); now != n {
			n, same = now, 0
		}
	}
}

// phase is a wave with the census after it.
func (r *run) phase(no int, d time.Duration, empty census) census {
	begin := time.Now()
	r.wave(no, d)
	left := time.Now()
	r.settle(empty)
	r.judgeLate()
	say("wave %d: the last client left after %v, the servers were empty %v later",
		no, left.Sub(begin).Round(time.Millisecond), time.Since(left).Round(time.Millisecond))
	return take()
}

// wave lets clients come for a while, and waits until they have left.
func (r *run) wave(no int, d time.Duration) {
	ctx, cancel := context.WithCancel(r.t.Context())
	neighbours := r.neighbours(ctx, no)
	var clients sync.WaitGroup
	for i := range *clientsFlag {
		clients.Go(func() {
			for begin, round := time.Now(), 0; time.Since(begin) < d && r.failures.Load() < shown; round++ {
				r.visit(draw(r.seed, no, i, round))
			}
		})
	}
	clients.Wait()
	cancel()
	neighbours.Wait()
}

// heapGrace is for what does not depend on the number of sessions and still comes and goes: the descriptors of
// goroutines, 400 bytes each and two thousand at the height, are kept for others, and so are the buckets that the
// registries had at their fullest.
const heapGrace = 512 << 10

func (r *run) checkHeap(before, after census) {
	if limit := before.heap + before.heap/10 + heapGrace; after.heap > limit {
		r.fail(fmt.Sprintf("the heap has %d KB, want %d KB at most", after.heap>>10, limit>>10))
	}
}

// stop ends all servers.
func (r *run) stop() {
	for _, s := range r.stacks {
		if err := s.stop(); err != nil {
			r.t.Errorf("%s: Shutdown of the HTTP server: %v", s.name, err)
		}
		<-s.served
	}
}

// tell prints the figures.
func (r *run) tell(empty, before, after census) {
	f := &r.figures
	groups := make(map[string][]string)
	for _, name := range slices.Sorted(maps.Keys(f.counts)) {
		group, rest, two := strings.Cut(name, " ")
		if !two || group != "fault" && group != "reason" {
			group, rest = "events", name
		}
		groups[group] = append(groups[group], fmt.Sprintf("%s %d", rest, f.counts[name]))
	}
	say("%v", f)
	for _, group := range slices.Sorted(maps.Keys(groups)) {
		say("%s: %s", group, strings.Join(groups[group], ", "))
	}
	say("before any client: %v\nafter the warm-up: %v\nafter the chaos:   %v", empty, before, after)
}
