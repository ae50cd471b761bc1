package engineio

import "sync/atomic"

// A budget counts the memory of all queues of a Server.
type budget struct {
	used  atomic.Int64 // bytes
	limit int64
}

// alwaysQueueable is how many bytes a session may queue however much the others have queued, so that slow clients do
// not take everything from those that keep up.
const alwaysQueueable = 4 << 10

func (b *budget) exceeded() bool { return b.used.Load() >= b.limit }

func (b *budget) add(n int) {
	if n != 0 {
		assert(b.used.Add(int64(n)) >= 0, "more memory was given back than queues had")
	}
}
