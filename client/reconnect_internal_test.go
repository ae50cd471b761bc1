package client

import (
	"errors"
	"testing"
	"time"
)

func TestReconnectWait(t *testing.T) {
	r := ReconnectOptions{Backoff: time.Second, MaxBackoff: 10 * time.Second, Jitter: 0.5}
	for n := 1; n < 100; n++ {
		want := 10 * time.Second
		if n < 5 {
			want = time.Second << (n - 1)
		}
		for range 20 {
			if got := r.wait(n, nil); got < want/2 || got > want*3/2 {
				t.Fatalf("attempt %d after %v", n, got)
			}
		}
	}
}

// A server that wants more time gets it, and no attempt comes before.
func TestReconnectWaitIsRetryAfter(t *testing.T) {
	r := ReconnectOptions{Backoff: time.Second, MaxBackoff: 10 * time.Second, Jitter: 0.5}
	for after, want := range map[time.Duration][2]time.Duration{
		100 * time.Millisecond: {500 * time.Millisecond, 1500 * time.Millisecond},
		4 * time.Second:        {4 * time.Second, 6 * time.Second},
		time.Hour:              {10 * time.Second, 15 * time.Second},
	} {
		last := errors.Join(errors.New("another transport"), &ResponseError{RetryAfter: after})
		for range 100 {
			if got := r.wait(1, last); got < want[0] || got > want[1] {
				t.Fatalf("Retry-After %v: %v, want %v", after, got, want)
			}
		}
	}
}
