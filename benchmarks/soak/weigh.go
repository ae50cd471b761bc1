package main

import (
	"bytes"
	"fmt"
	"os"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/usage"
	"github.com/fasteio/engineio/benchmarks/soak/server"
)

// weight is what all servers have at a time.
type weight struct {
	rss        int64 // bytes
	slab       int64 // bytes of the kernel's, for the whole machine
	goroutines int
	sessions   int
}

// weigh adds up what the servers have.
func (c *crew) weigh() (w weight, err error) {
	for _, p := range c.pairs {
		var state server.State
		if err := p.server.call(c.ctx, "Server.State", struct{}{}, &state); err != nil {
			return w, err
		}
		rss, err := usage.RSS(p.server.cmd.Process.Pid)
		if err != nil {
			return w, err
		}
		w.rss += rss
		w.goroutines += state.Goroutines
		w.sessions += state.Sessions
		c.detail("%s: %d sessions, RSS %d MiB, %d goroutines", p.server.name, state.Sessions, rss>>20, state.Goroutines)
	}
	w.slab, err = slab()
	return w, err
}

// settled is the weight once garbage has been collected, and again until that changes nothing.
func (c *crew) settled() (w weight, err error) {
	const patience = 50
	for range patience {
		last := w.rss
		if err = c.collect(); err != nil {
			return w, err
		}
		if err = c.wait(100 * time.Millisecond); err != nil {
			return w, err
		}
		if w, err = c.weigh(); err != nil {
			return w, err
		}
		if d := w.rss - last; -last/200 < d && d < last/200 {
			break
		}
	}
	return w, nil
}

func (c *crew) collect() error {
	return c.each(func(p *pair) error { return p.server.call(c.ctx, "Server.Collect", struct{}{}, nil) })
}

// cost is the processor time of all servers so far, and that of all clients.
func (c *crew) cost() (servers, clients time.Duration, err error) {
	for _, p := range c.pairs {
		for _, child := range []struct {
			*child
			sum *time.Duration
		}{{p.server, &servers}, {p.client, &clients}} {
			d, err := usage.CPU(child.cmd.Process.Pid)
			if err != nil {
				return 0, 0, fmt.Errorf("%s: %w", child.name, err)
			}
			*child.sum += d
		}
	}
	return servers, clients, nil
}

// slab is the kernel's memory for its objects, sockets among them.
func slab() (int64, error) {
	text, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	_, rest, found := bytes.Cut(text, []byte("\nSlab:"))
	var kilobytes int64
	if _, err := fmt.Sscanf(string(rest), "%d kB", &kilobytes); !found || err != nil {
		return 0, fmt.Errorf("no Slab in /proc/meminfo: %v", err)
	}
	return kilobytes << 10, nil
}
