package client_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/fasteio/engineio"
)

// An idle client and its session of the server, in one process, cost less than the 40 KB that one of
// them may: heap and stacks, buffers and the holes between them.
func TestIdleClientsAreSmall(t *testing.T) {
	const clients = 1000
	if raceEnabled {
		t.Skip("the race detector multiplies memory; make alloc runs it without")
	}
	inEachMode(t, func(t *testing.T, m mode) {
		url, _, srv := serve(t, engineio.Config{})
		c := dial(t, url, m.options()) // fills pools
		c.CloseNow()
		before, goroutines := inUse(), runtime.NumGoroutine()
		for range clients {
			c := dial(t, url, m.options())
			upgraded(t, c, m.final)
		}
		for srv.Len() < clients {
			time.Sleep(time.Millisecond)
		}
		both := (inUse() - before) / clients
		n := float64(runtime.NumGoroutine()-goroutines) / clients
		t.Logf("%d bytes and %.1f goroutines for a client and its session of the server", both, n)
		if both > 40<<10 {
			t.Errorf("%d bytes a pair", both)
		}
	})
}

func inUse() uint64 {
	for range 3 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
