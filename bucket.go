package engineio

import "time"

// A bucket lets things through at a steady rate, and a second's worth of them at once. It is told the time, of
// Server.now, and belongs to whoever holds the lock around it.
type bucket struct {
	paid time.Duration // when all that was taken is paid for
}

// share is what one of n things a second costs.
func share(n int) time.Duration { return time.Second / time.Duration(n) }

// wait is how long it takes until there is room for one more of that cost, zero when there is.
func (b *bucket) wait(now, cost time.Duration) time.Duration {
	return max(b.after(now, cost)-now-time.Second, 0)
}

// take takes one of that cost, whether there is room for it or not.
func (b *bucket) take(now, cost time.Duration) { b.paid = b.after(now, cost) }

func (b *bucket) after(now, cost time.Duration) time.Duration { return max(b.paid, now) + cost }

// empty reports whether nothing is owed.
func (b *bucket) empty(now time.Duration) bool { return b.paid <= now }
