package main

import (
	"syscall"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/usage"
)

// settled is the server's memory once it does not change any more, with garbage collected if the
// server can be told to.
func (m *meter) settled() (int64, error) {
	if m.o.pid == 0 {
		return 0, nil
	}
	const patience = 20
	var last int64
	for range patience {
		if m.o.settle {
			if err := syscall.Kill(m.o.pid, syscall.SIGUSR2); err != nil {
				return 0, err
			}
		}
		time.Sleep(300 * time.Millisecond)
		rss, err := usage.RSS(m.o.pid)
		if err != nil {
			return 0, err
		}
		if d := rss - last; -last/200 < d && d < last/200 {
			return rss, nil
		}
		last = rss
	}
	return last, nil
}
