package server

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/fasteio/engineio"
)

// closed counts the sessions that ended.
type closed struct {
	mu     sync.Mutex
	counts map[string]int64
	errors []string
}

func (c *closed) add(reason string, err error) {
	const kept = 5
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.counts == nil {
		c.counts = make(map[string]int64)
	}
	c.counts[reason]++
	if reason != engineio.ReasonClientClose.String() && len(c.errors) < kept {
		c.errors = append(c.errors, fmt.Sprintf("%s: %v", reason, err))
	}
}

func (c *closed) read() (map[string]int64, []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.counts), slices.Clone(c.errors)
}
