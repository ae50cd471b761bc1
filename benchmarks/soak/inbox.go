package main

import (
	"slices"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the longest delay that is told from longer ones.
const longest = 5 * time.Minute

// inbox counts the broadcasts that arrived as they should.
type inbox struct {
	mu       sync.Mutex
	received []Received
	delay    *hdrhistogram.Histogram // in microseconds
}

// Received is how many sessions have one broadcast, and when the last of them got it.
type Received struct {
	Count int64
	Last  time.Duration
}

func (b *inbox) add(seq uint64, made time.Duration) {
	t := now()
	b.mu.Lock()
	defer b.mu.Unlock()
	for uint64(len(b.received)) <= seq {
		b.received = append(b.received, Received{})
	}
	b.received[seq].Count++
	b.received[seq].Last = t
	_ = b.delay.RecordValue(min((t - made).Microseconds(), longest.Microseconds()))
}

func (b *inbox) read() []Received {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.received)
}

func (b *inbox) snapshot() hdrhistogram.Snapshot {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.delay.Export()
}
