package engineio

import "sync/atomic"

// A budget counts the memory of all queues of a Server.
type budget struct {
	used  atomic.Int64 // bytes
	limit int64
}

// freeQueued is what a session may queue however much the others have: one that takes what it is sent does not
// suffer from those that do not.
const freeQueued = 4 << 10

func (b *budget) exceeded() bool { return b.used.Load() >= b.limit }

func (b *budget) add(n int) {
	if n != 0 {
		assert(b.used.Add(int64(n)) >= 0, "more memory was given back than queues had")
	}
}
