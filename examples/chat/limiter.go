package main

import "time"

// A client may say burst things at once and perSecond after that.
const (
	burst     = 30
	perSecond = 8
)

// limiter is a token bucket. Its zero value is full.
type limiter struct {
	used float64
	at   time.Time
}

// allow takes a token, if there is one.
func (l *limiter) allow(now time.Time) bool {
	if !l.at.IsZero() {
		l.used = max(0, l.used-now.Sub(l.at).Seconds()*perSecond)
	}
	l.at = now
	if l.used+1 > burst {
		return false
	}
	l.used++
	return true
}
