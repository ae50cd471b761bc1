package client

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// ReconnectOptions make a client open another session when one has ended for another reason than Close,
// CloseNow or the end of Run. Read goes on with the messages of the new session.
//
// Messages that a lost session had taken may be lost. What was still queued, and what is sent in between, leaves
// with the next session, in order; RefuseSends chooses otherwise.
type ReconnectOptions struct {
	// Backoff is the time before the first attempt; it doubles with each one that fails. A server that refused
	// with Retry-After is given that time, if it is longer. Default: 1 s.
	Backoff time.Duration
	// MaxBackoff bounds it, and what is given to Retry-After, before Jitter. Default: 30 s.
	MaxBackoff time.Duration
	// Jitter is how far a wait differs at random, as a part of it from 0 to 1, so that many clients do
	// not come back together; behind a Retry-After it only adds. Default: 0.5; negative for none.
	Jitter float64
	// MaxAttempts is how many may fail in a row before the client ends. Default: 0, no bound.
	MaxAttempts int
	// RefuseSends makes a send without a session fail with ErrNotConnected, and drops what was queued, for
	// messages that mean nothing in another session. See also Options.Greeting. Default: sends wait for the
	// next session.
	RefuseSends bool
	// OnAttempt runs before the wait for each attempt. An error ends the client, with it as the Err of the
	// CloseError.
	//
	// The client waits until it returns, and so do Close and CloseNow: it must not call these, nor wait for
	// something to be received or sent, by Read, AwaitUpgrade, Flush or a send without room. Default: nothing runs.
	OnAttempt func(Attempt) error
	// OnReconnect runs for each session but that of Dial, to send what must come before anything is read from it.
	//
	// The client reads when it returns, or when the session has ended: another may come then, whose OnReconnect
	// waits for this one. Close and CloseNow wait for it: it must not call these, nor wait for something to be
	// received, by Read or AwaitUpgrade. It may wait for what it sends. Others may send meanwhile. Default: nothing
	// runs. See Handler.OnConnect for what runs with Run, in order with the messages.
	OnReconnect func(c *Client)
}

// Attempt is one try to connect again.
type Attempt struct {
	Number int           // from 1
	Wait   time.Duration // until it begins
	Err    error         // why there is no session: a *CloseError for the first, then why the last attempt failed
}

func (r *ReconnectOptions) withDefaults() (ReconnectOptions, error) {
	c := *r
	c.Backoff = cmp.Or(c.Backoff, time.Second)
	c.MaxBackoff = cmp.Or(c.MaxBackoff, 30*time.Second)
	c.Jitter = cmp.Or(c.Jitter, 0.5)
	if c.Backoff < 0 || c.MaxBackoff < c.Backoff || c.Jitter > 1 || c.MaxAttempts < 0 {
		return c, errors.New("client: Options.Reconnect: Backoff must be positive, MaxBackoff no less, Jitter at most 1, MaxAttempts not negative")
	}
	return c, nil
}

// wait is the time before attempt n, which follows the failure last.
func (r *ReconnectOptions) wait(n int, last error) time.Duration {
	d := r.MaxBackoff
	if n < 60 && r.Backoff < r.MaxBackoff>>(n-1) {
		d = r.Backoff << (n - 1)
	}
	jitter := max(r.Jitter, 0) * (2*rand.Float64() - 1)
	var refused *ResponseError
	if errors.As(last, &refused) && refused.RetryAfter > d {
		d, jitter = refused.RetryAfter, math.Abs(jitter) // others were told the same
	}
	d = min(d, r.MaxBackoff)
	return d + time.Duration(jitter*float64(d))
}

// errorBetweenSessions is what sends fail with after a session has ended for why; nil if they wait for the next.
func (c *Client) errorBetweenSessions(why *CloseError) error {
	switch {
	case c.o.Reconnect == nil || c.beforeClose.Err() != nil:
		return why
	case c.o.Reconnect.RefuseSends:
		return ErrNotConnected
	}
	return nil
}

// reconnect opens the next session, or returns why there is none.
func (c *Client) reconnect(why *CloseError) (*session, *CloseError) {
	r := c.o.Reconnect
	var last error = why
	for n := 1; r.MaxAttempts == 0 || n <= r.MaxAttempts; n++ {
		a := Attempt{Number: n, Wait: r.wait(n, last), Err: last}
		c.o.Logger.Debug("client: reconnect", "attempt", n, "wait", a.Wait, "error", last)
		if r.OnAttempt != nil {
			if err := r.OnAttempt(a); err != nil {
				return nil, &CloseError{why.Reason, err}
			}
		}
		timer := time.NewTimer(a.Wait)
		select {
		case <-timer.C:
		case <-c.beforeClose.Done():
			timer.Stop()
		}
		s, err := c.startSession(c.beforeClose)
		switch {
		case err == nil:
			if r.OnReconnect != nil {
				c.runOnReconnect(s)
			}
			return s, nil
		case c.beforeClose.Err() != nil:
			return nil, &CloseError{Reason: ReasonClientClose}
		}
		last = err
	}
	return nil, &CloseError{why.Reason, fmt.Errorf("gave up after %d attempts: %w", r.MaxAttempts, last)}
}

// runOnReconnect runs OnReconnect. It goes on when s has ended: an OnReconnect that sends may wait for what only the next
// session can do.
func (c *Client) runOnReconnect(s *session) {
	before, done := c.reconnectDone, make(chan struct{})
	c.reconnectDone = done
	go func() {
		defer close(done)
		if before != nil {
			<-before
		}
		c.o.Reconnect.OnReconnect(c)
	}()
	select {
	case <-done:
	case <-s.ctx.Done():
	}
}
