package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// soak does all of it. The report is of the sessions; only a run that could not be made is an error.
func soak(ctx context.Context, o *options, log io.Writer) (*report, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, o.limit, errors.New("it took longer than -limit"))
	defer cancel()
	c, err := muster(ctx, o, log)
	r := &report{o: o}
	if err == nil {
		err = c.run(r)
	}
	if err != nil {
		cancel() // kills the children
		_ = c.dismiss()
		return nil, err
	}
	return r, c.dismiss()
}

func (c *crew) run(r *report) (err error) {
	if r.blank, err = c.weigh(); err != nil {
		return err
	}
	if err := c.rehearse(); err != nil {
		return err
	}
	if r.empty, err = c.settled(); err != nil {
		return err
	}
	start := time.Now()
	if err := c.open("WebSockets", func(p *pair) Wanted { return Wanted{WebSockets: p.webSockets} }); err != nil {
		return err
	}
	r.opening = time.Since(start)
	if r.webSockets, err = c.settled(); err != nil {
		return err
	}
	start = time.Now()
	if err := c.open("polls", func(p *pair) Wanted { return Wanted{Polls: p.polls} }); err != nil {
		return err
	}
	r.opening += time.Since(start)
	if r.full, err = c.settled(); err != nil {
		return err
	}
	if err := c.hold(r); err != nil {
		return err
	}
	if err := c.inspect(r); err != nil {
		return err
	}
	start = time.Now()
	if err := c.close(); err != nil {
		return err
	}
	r.closing = time.Since(start)
	if err := c.wait(c.o.rest); err != nil {
		return err
	}
	if r.after, err = c.settled(); err != nil {
		return err
	}
	return c.sum(r)
}

// rehearse opens some sessions and ends them, so that what a server makes once is not counted.
func (c *crew) rehearse() error {
	const few = 50
	err := c.open("of a rehearsal", func(p *pair) Wanted { return Wanted{min(p.webSockets, few), min(p.polls, few)} })
	if err != nil {
		return err
	}
	return c.close()
}

// open opens sessions at all clients.
func (c *crew) open(what string, wanted func(p *pair) Wanted) error {
	defer c.progress("opening " + what)()
	return c.each(func(p *pair) error { return p.client.call(c.ctx, "Client.Open", wanted(p), nil) })
}

// close ends all sessions, and waits until the servers have none.
func (c *crew) close() error {
	defer c.progress("closing")()
	if err := c.each(func(p *pair) error { return p.client.call(c.ctx, "Client.Close", struct{}{}, nil) }); err != nil {
		return err
	}
	for start := time.Now(); ; {
		w, err := c.weigh()
		if err != nil || w.sessions == 0 {
			return err
		}
		if time.Since(start) > openTimeout {
			return fmt.Errorf("the servers still have %d sessions, %v after the last client has gone", w.sessions, openTimeout)
		}
		if err := c.wait(100 * time.Millisecond); err != nil {
			return err
		}
	}
}

// progress tells from time to time how many sessions there are, until it is stopped.
func (c *crew) progress(what string) (stop func()) {
	ctx, cancel := context.WithCancel(c.ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		for tick := time.Tick(progressEvery); ; {
			select {
			case <-ctx.Done():
				return
			case <-tick:
			}
			if s, err := c.states(); err == nil {
				c.say("%s: %d sessions", what, s.Alive)
			}
		}
	}()
	return func() {
		cancel()
		<-told
		if s, err := c.states(); err == nil {
			c.say("%s: %d sessions, done", what, s.Alive)
		}
	}
}

// progressEvery is the time between two lines of progress.
const progressEvery = 3 * time.Second

// states adds up what the clients know.
func (c *crew) states() (all ClientState, err error) {
	for _, p := range c.pairs {
		var s ClientState
		if err := p.client.call(c.ctx, "Client.State", struct{}{}, &s); err != nil {
			return all, err
		}
		all.add(s)
	}
	return all, nil
}

// inspect asks the clients what they got.
func (c *crew) inspect(r *report) error {
	r.delay = hdrhistogram.New(1, longest.Microseconds(), 3)
	for _, p := range c.pairs {
		var delay hdrhistogram.Snapshot
		if err := p.client.call(c.ctx, "Client.Check", uint64(len(r.broadcasts)), &delay); err != nil {
			return err
		}
		r.delay.Merge(hdrhistogram.Import(&delay))
	}
	return nil
}
