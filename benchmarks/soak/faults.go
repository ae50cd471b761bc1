package main

import (
	"fmt"
	"sync"
	"time"
)

// Faults are what went wrong with a client's sessions.
type Faults struct {
	Lost  int64    // sessions that ended, or of which nothing was heard for too long
	Wrong int64    // packets that should not have come, or not then
	First []string // the first few of each, in words
}

// add adds those of another client.
func (f *Faults) add(g Faults) {
	f.Lost += g.Lost
	f.Wrong += g.Wrong
	f.First = append(f.First, g.First...)
}

// faults gathers them.
type faults struct {
	began time.Duration // when the run did, of now
	mu    sync.Mutex
	Faults
}

func (f *faults) lost(format string, args ...any)  { f.note(&f.Lost, format, args...) }
func (f *faults) wrong(format string, args ...any) { f.note(&f.Wrong, format, args...) }

func (f *faults) note(count *int64, format string, args ...any) {
	const kept = 5
	f.mu.Lock()
	defer f.mu.Unlock()
	*count++
	if *count <= kept {
		f.First = append(f.First, fmt.Sprintf("%.1f s: ", (now()-f.began).Seconds())+fmt.Sprintf(format, args...))
	}
}

func (f *faults) read() Faults {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.Faults
	g.First = append([]string(nil), f.First...)
	return g
}
