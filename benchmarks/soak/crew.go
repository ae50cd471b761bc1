package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/fasteio/engineio/benchmarks/soak/server"
)

// A crew is all the processes of a run.
type crew struct {
	o     *options
	ctx   context.Context
	log   io.Writer
	began time.Duration // of now
	pairs []*pair
}

// A pair is a server and the client of its sessions.
type pair struct {
	server, client    *child
	webSockets, polls int
}

// muster starts the processes. What has been started is in the crew even when it fails.
func muster(ctx context.Context, o *options, log io.Writer) (*crew, error) {
	c := &crew{o: o, ctx: ctx, log: log, began: now()}
	self, err := os.Executable()
	if err != nil {
		return c, err
	}
	program := self
	if o.stack == "fiber" {
		c.say("building the server with Fiber")
		built, remove, err := buildFiber(ctx)
		if err != nil {
			return c, err
		}
		defer remove() // a program that runs needs its file no more
		program = built
	}
	c.say("%d sessions at most in a process: %d servers and %d clients", o.perProcess, o.pairs(), o.pairs())
	first := 0
	for i := range o.pairs() {
		p := &pair{webSockets: o.share(o.webSockets, i), polls: o.share(o.polls, i)}
		if p.server, err = spawn(ctx, program, "server", fmt.Sprintf("server %d", i), o.env); err != nil {
			return c, err
		}
		c.pairs = append(c.pairs, p)
		if p.client, err = spawn(ctx, self, "client", fmt.Sprintf("client %d", i), o.env); err != nil {
			return c, err
		}
		if err := c.instruct(p, first); err != nil {
			return c, err
		}
		first += p.webSockets + p.polls
	}
	return c, nil
}

// instruct tells a pair what to do.
func (c *crew) instruct(p *pair, first int) error {
	o, addr := c.o, ""
	err := p.server.call(c.ctx, "Server.Start", server.Settings{
		Tuned:        o.tuned,
		Sessions:     p.webSockets + p.polls,
		PingInterval: o.pingInterval,
		PingTimeout:  o.pingTimeout,
	}, &addr)
	if err != nil {
		return err
	}
	return p.client.call(c.ctx, "Client.Start", ClientSettings{
		Addr:         addr,
		Began:        c.began,
		First:        first,
		Dials:        max(o.dials/o.pairs(), 1),
		Bytes:        o.bytes,
		PingInterval: o.pingInterval,
		PingTimeout:  o.pingTimeout,
	}, nil)
}

// dismiss ends the processes.
func (c *crew) dismiss() error {
	return c.each(func(p *pair) error {
		if p.client == nil {
			return p.server.end()
		}
		return errors.Join(p.client.end(), p.server.end())
	})
}

// each does something with all pairs at the same time.
func (c *crew) each(do func(p *pair) error) error {
	errs := make([]error, len(c.pairs))
	var wg sync.WaitGroup
	for i, p := range c.pairs {
		wg.Go(func() { errs[i] = do(p) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// say tells whoever waits.
func (c *crew) say(format string, args ...any) {
	fmt.Fprintf(c.log, "%6.1f s  %s\n", (now() - c.began).Seconds(), fmt.Sprintf(format, args...))
}

// detail tells those who want to know more.
func (c *crew) detail(format string, args ...any) {
	if c.o.verbose {
		c.say(format, args...)
	}
}

// wait sleeps, if nothing ends it.
func (c *crew) wait(d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
}
