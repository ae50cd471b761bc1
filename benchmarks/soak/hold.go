package main

import (
	"fmt"
	"time"
)

// reading is what the clocks and counters say at a time.
type reading struct {
	time             time.Duration
	servers, clients time.Duration // of processor
	machine          time.Duration // of processor, for anybody
	pings            int64
}

func (c *crew) read() (r reading, err error) {
	s, err := c.states()
	if err != nil {
		return r, err
	}
	r.time, r.pings = now(), s.Pings
	if r.machine, err = busy(); err != nil {
		return r, err
	}
	r.servers, r.clients, err = c.cost()
	return r, err
}

// hold lets the sessions be, but for a broadcast now and then.
func (c *crew) hold(r *report) (err error) {
	if r.began, err = c.read(); err != nil {
		return err
	}
	every := c.o.broadcastEvery()
	end := r.began.time + c.o.duration
	due := r.began.time + every
	for told := time.Duration(0); now() < end; {
		next := min(due, end, now()+progressEvery)
		if err := c.wait(next - now()); err != nil {
			return err
		}
		if now() >= due && due < end {
			b, err := c.broadcast(uint64(len(r.broadcasts)))
			if err != nil {
				return err
			}
			r.broadcasts = append(r.broadcasts, b)
			due += every
		}
		if held := now() - r.began.time; held-told >= progressEvery {
			told = held
			if err := c.tell(held); err != nil {
				return err
			}
		}
	}
	if r.ended, err = c.read(); err != nil {
		return err
	}
	r.standing, err = c.weigh()
	return err
}

// tell says how the sessions are.
func (c *crew) tell(held time.Duration) error {
	s, err := c.states()
	if err != nil {
		return err
	}
	servers, _, err := c.cost()
	c.say("held %v: %d sessions, %d lost, %d packets wrong, %d heartbeats answered, servers have used %.1f s",
		held.Round(time.Second), s.Alive, s.Faults.Lost, s.Faults.Wrong, s.Pings, servers.Seconds())
	return err
}

// broadcast is what one to all sessions took.
type broadcast struct {
	calls      time.Duration // of Broadcast, all servers together
	last       time.Duration // until the last session had it
	deliveries int64
	began      reading
	ended      reading
}

// broadcast has one server after the other send a message to its sessions, as one server would that had
// them all, and waits until all have it.
func (c *crew) broadcast(seq uint64) (b broadcast, err error) {
	if b.began, err = c.read(); err != nil {
		return b, err
	}
	text := newMessage(seq, c.o.bytes)
	start := now()
	for _, p := range c.pairs {
		var took time.Duration
		if err := p.server.call(c.ctx, "Server.Broadcast", text, &took); err != nil {
			return b, err
		}
		b.calls += took
		c.detail("%s: the call took %v", p.server.name, took)
	}
	if err := c.arrive(seq, start, &b); err != nil {
		return b, err
	}
	b.ended, err = c.read()
	c.say("broadcast %d: %d sessions have it after %v, the calls took %v",
		seq, b.deliveries, round(b.last), round(b.calls))
	return b, err
}

// arrive waits until all sessions that are left have the broadcast, or so long that some never will.
func (c *crew) arrive(seq uint64, start time.Duration, b *broadcast) error {
	for {
		s, err := c.states()
		if err != nil {
			return err
		}
		if uint64(len(s.Received)) > seq {
			b.deliveries, b.last = s.Received[seq].Count, s.Received[seq].Last-start
		}
		if b.deliveries >= s.Alive || now()-start > c.o.patience {
			return nil
		}
		if err := c.wait(50 * time.Millisecond); err != nil {
			return err
		}
	}
}

func round(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d)/1e6) }
