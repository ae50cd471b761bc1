package main

import (
	"errors"
	"fmt"
	"math"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
	"github.com/fasteio/engineio/benchmarks/internal/usage"
)

// epoch is what now counts from.
var epoch = time.Now()

// now is the time in nanoseconds, on the clock that does not jump.
func now() int64 { return int64(time.Since(epoch)) }

// meter counts what happens within the measured time, what it costs, and what goes wrong at any
// time.
type meter struct {
	o      *options
	what   string // is counted
	shares [16]share

	from, until atomic.Int64 // the measured time

	began, ended reading
	perSession   float64

	mismatched, lost, timeouts, failed atomic.Int64

	mu     sync.Mutex
	faults []string
}

// share is that of some clients, so that they do not wait for each other's lock.
type share struct {
	mu    sync.Mutex
	count int64
	delay *hdrhistogram.Histogram // in microseconds
	_     [64]byte
}

// reading is what the clocks say.
type reading struct {
	time        int64
	server, own time.Duration
	rss         int64
}

// longest is the longest delay that is told from longer ones.
const longest = 5 * time.Minute

func newMeter(o *options) (*meter, error) {
	m := &meter{o: o, what: "messages"}
	m.from.Store(math.MaxInt64)
	m.until.Store(math.MaxInt64)
	for i := range m.shares {
		m.shares[i].delay = hdrhistogram.New(1, longest.Microseconds(), 3)
	}
	_, err := m.read() // says at once when there is no such process
	return m, err
}

// record counts n things of a client that took so long each, if at is within the measured time.
func (m *meter) record(client int, at, delay, n int64) {
	if at < m.from.Load() || at >= m.until.Load() {
		return
	}
	l := &m.shares[client%len(m.shares)]
	us := min(max(delay/1000, 1), longest.Microseconds())
	l.mu.Lock()
	l.count += n
	_ = l.delay.RecordValues(us, n)
	l.mu.Unlock()
}

// count counts n things more that belong to what was recorded.
func (m *meter) count(client int, at, n int64) {
	if at < m.from.Load() || at >= m.until.Load() {
		return
	}
	l := &m.shares[client%len(m.shares)]
	l.mu.Lock()
	l.count += n
	l.mu.Unlock()
}

func (m *meter) read() (r reading, err error) {
	r.time = now()
	if r.own, err = usage.CPU(os.Getpid()); err != nil || m.o.pid == 0 {
		return r, err
	}
	if r.server, err = usage.CPU(m.o.pid); err != nil {
		return r, err
	}
	r.rss, err = usage.RSS(m.o.pid)
	return r, err
}

// measure lets the warm-up pass and counts for the duration, or until over is closed.
func (m *meter) measure(over <-chan struct{}) (err error) {
	wait(m.o.warmup, over)
	if m.began, err = m.read(); err != nil {
		return err
	}
	m.from.Store(m.began.time)
	wait(m.o.duration, over)
	m.ended, err = m.read()
	m.until.Store(m.ended.time)
	return err
}

func wait(d time.Duration, over <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-over:
	}
}

// wrong is an echo that is not what was sent.
type wrong struct{ error }

// fault counts an error of a client, by its kind.
func (m *meter) fault(client int, err error) {
	var mismatch wrong
	switch {
	case errors.As(err, &mismatch):
		m.mismatched.Add(1)
	case errors.Is(err, errTimeout), isTimeout(err):
		m.timeouts.Add(1)
	default:
		m.failed.Add(1)
	}
	m.note(fmt.Sprintf("client %d: %v", client, err))
}

// errTimeout is a wait of the run that was in vain.
var errTimeout = errors.New("timeout")

func isTimeout(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout()
}

// note keeps the first few faults.
func (m *meter) note(fault string) {
	const kept = 5
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.faults) < kept {
		m.faults = append(m.faults, fault)
	}
}

// outcome sums up.
func (m *meter) outcome() *outcome.Outcome {
	all := hdrhistogram.New(1, longest.Microseconds(), 3)
	o := &outcome.Outcome{What: m.what, PerSession: m.perSession, Faults: m.faults}
	for i := range m.shares {
		o.Count += m.shares[i].count
		all.Merge(m.shares[i].delay)
	}
	o.P50, o.P90 = all.ValueAtQuantile(50), all.ValueAtQuantile(90)
	o.P99, o.P999 = all.ValueAtQuantile(99), all.ValueAtQuantile(99.9)
	o.Max = all.Max()

	cpu := (m.ended.server - m.began.server).Seconds()
	o.Seconds = time.Duration(m.ended.time - m.began.time).Seconds()
	if o.Seconds > 0 {
		o.Rate = float64(o.Count) / o.Seconds
		o.Cores = cpu / o.Seconds
		o.ClientCores = (m.ended.own - m.began.own).Seconds() / o.Seconds
	}
	if o.Count > 0 {
		o.CPUPerMillion = cpu * 1e6 / float64(o.Count)
	}
	o.RSSMB = float64(m.ended.rss) / (1 << 20)
	o.Mismatched, o.Lost = m.mismatched.Load(), m.lost.Load()
	o.Timeouts, o.Failed = m.timeouts.Load(), m.failed.Load()
	return o
}
