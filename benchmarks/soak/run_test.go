package main

import (
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// try runs soak with those flags.
func try(t *testing.T, ctx context.Context, flags string, env ...string) (*report, error) {
	t.Helper()
	o, err := parse(strings.Fields("-rest 0s " + flags))
	if err != nil {
		t.Fatal(err)
	}
	o.env = append(env, "GORACE=atexit_sleep_ms=50 "+os.Getenv("GORACE")) // each child would take a second to end
	return soak(ctx, o, io.Discard)
}

func TestAGoodServerIsFoundGood(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{"", " -tuned"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			r, err := try(t, t.Context(), "-websockets 200 -polls 50 -per-process 130 -duration 3s -ping-interval 500ms"+mode)
			if err != nil {
				t.Fatal(err)
			}
			check(t, r)
		})
	}
}

func TestAGoodServerWithFiberIsFoundGood(t *testing.T) {
	t.Parallel()
	r, err := try(t, t.Context(), "-websockets 20 -polls 5 -duration 400ms -stack fiber -tuned")
	if err != nil {
		t.Fatal(err)
	}
	if err := r.verdict(); err != nil || r.deliveries() != 75 {
		t.Errorf("%d deliveries, verdict %v", r.deliveries(), err)
	}
}

// check looks whether the figures of 250 sessions on two servers, held for three seconds, make sense.
func check(t *testing.T, r *report) {
	t.Helper()
	if err := r.verdict(); err != nil {
		t.Error(err)
	}
	got := []int{r.empty.sessions, r.webSockets.sessions, r.full.sessions, r.standing.sessions, r.after.sessions}
	if want := []int{0, 200, 250, 250, 0}; !slices.Equal(got, want) {
		t.Errorf("sessions at the weighings: %d, want %d", got, want)
	}
	const rehearsed = 2 * (50 + 25)
	if want := map[string]int64{"client close": 250 + rehearsed}; !maps.Equal(r.closed, want) {
		t.Errorf("closed: %v, want %v", r.closed, want)
	}
	// A heartbeat takes 500 ms, the first as little as 400 ms. A busy machine is later.
	if n := r.heartbeats(); n < 250 || n > 250*(3000/500+2) && r.held() < 3500*time.Millisecond {
		t.Errorf("%d heartbeats in %v", n, r.held())
	}
	if len(r.broadcasts) != 3 || r.deliveries() != 750 || r.delay.TotalCount() != 750 {
		t.Errorf("%d broadcasts, %d deliveries, %d measured", len(r.broadcasts), r.deliveries(), r.delay.TotalCount())
	}
	for i, b := range r.broadcasts {
		if b.calls <= 0 || b.last <= 0 || b.last > 30*time.Second || r.delay.Max() < b.last.Microseconds()*9/10 {
			t.Errorf("broadcast %d: %+v, longest delay %d us", i, b, r.delay.Max())
		}
	}
	quiet, loud := r.quiet(), r.loud()
	if quiet.servers <= 0 || quiet.pings <= 0 || quiet.servers+loud.servers != r.ended.servers-r.began.servers {
		t.Errorf("quiet %+v, loud %+v", quiet, loud)
	}
	// The machine works in ticks, the processes in nanoseconds.
	if all := r.ended.minus(r.began); all.machine+time.Second/5 < all.servers+all.clients {
		t.Errorf("the machine worked %v, of it %v for the servers and %v for the clients",
			all.machine, all.servers, all.clients)
	}
	if r.empty.rss < 1<<20 || r.full.rss <= r.empty.rss || r.standing.rss < r.empty.rss {
		t.Errorf("RSS: empty %+v, WebSockets %+v, full %+v, standing %+v", r.empty, r.webSockets, r.full, r.standing)
	}
	if n := r.standing.goroutines - r.blank.goroutines; n < 250 || n > 500 {
		t.Errorf("%d goroutines for 250 sessions", n)
	}
	if table := r.markdown(); strings.Contains(table, "NaN") || !strings.Contains(table, "| sessions lost | 0 |\n") {
		t.Error(table)
	}
}

func TestWhatTakesTooLongEnds(t *testing.T) {
	t.Parallel()
	_, err := try(t, t.Context(), "-websockets 10 -polls 2 -duration 900ms -limit 901ms")
	if err == nil || !strings.Contains(err.Error(), "-limit") {
		t.Errorf("got %v", err)
	}
}

func TestAnInterruptEndsAll(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	o, err := parse(strings.Fields("-websockets 10 -polls 2 -duration 10m -broadcast-every 50ms"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = soak(ctx, o, writer(func(line []byte) {
		if strings.Contains(string(line), "broadcast 0") {
			cancel()
		}
	}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type writer func(line []byte)

func (w writer) Write(line []byte) (int, error) {
	w(line)
	return len(line), nil
}

func TestFlagsThatMakeNoSense(t *testing.T) {
	for _, flags := range []string{
		"-websockets 0 -polls 0", "-polls -1", "-stack pigeon", "-duration 0s", "-duration 20m",
		"-per-process 100000000", "-per-process -1",
		"-dials 0", "-dials 101", "-bytes 31", "-bytes 401", "-websockets 4000000",
		"-ping-interval 0s", "-broadcast-every 0s", "-rest -1s", "-patience 0s", "more",
	} {
		if _, err := parse(strings.Fields(flags)); err == nil {
			t.Errorf("%s: accepted", flags)
		}
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, sessions := range []int{1, 7, 120_000, 120_001} {
		o := &options{webSockets: sessions, polls: sessions / 5, perProcess: 18_000}
		webSockets, polls := 0, 0
		for i := range o.pairs() {
			w, p := o.share(o.webSockets, i), o.share(o.polls, i)
			webSockets, polls = webSockets+w, polls+p
			if w+p > o.perProcess {
				t.Errorf("%d sessions: pair %d has %d", sessions, i, w+p)
			}
		}
		if webSockets != o.webSockets || polls != o.polls {
			t.Errorf("%d sessions: %d WebSockets, %d polls", sessions, webSockets, polls)
		}
	}
}
