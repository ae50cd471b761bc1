package main

import (
	"errors"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// polled is a client on long-polling that sends on schedule. Its goroutine keeps a poll waiting at
// the server, as a browser does; what it sends takes a connection that it shares with others.
type polled struct {
	*player
	s     *session
	when  *schedule
	place int
	check *stamp.Checker
	lane  *lane
	get   []byte
	post  []byte
	stamp int // where the number is in post
	pong  []byte
}

func newPolled(o *options, s *session, p *player, when *schedule, place int, lanes []*lane) *polled {
	c := &polled{
		player: p,
		s:      s,
		when:   when,
		place:  place,
		check:  stamp.NewChecker(p.id, o.size),
		lane:   lanes[place%len(lanes)],
		get:    o.get(s.sid),
		pong:   o.post(s.sid, "3"),
	}
	post, stamps := postOf(o, s.sid, p.id, 1)
	c.post, c.stamp = post, stamps[0]
	return c
}

func (c *polled) send(seq int64) error {
	c.lane.jobs <- job{c, seq}
	return nil
}

// play polls until it is woken.
func (c *polled) play() error {
	for {
		if err := c.poll(); err != nil {
			if c.woken(err) {
				return nil
			}
			return err
		}
	}
}

func (c *polled) poll() error {
	if _, err := c.s.poll.Write(c.get); err != nil {
		return err
	}
	body, err := c.s.poll.response(200)
	if err != nil {
		return err
	}
	t := now()
	return packets(body, c.s.o.revision, func(packet []byte) error {
		what, err := judge(packet, c.check)
		switch {
		case err != nil:
			return err
		case what == pinged:
			c.lane.jobs <- job{c, pong}
		case what == echoed:
			seq, waiting := c.late()
			if !waiting {
				return wrong{errors.New("more echoes than messages")}
			}
			due := c.when.due(c.place, seq)
			c.m.record(c.id, due, t-due, 1)
			c.received.Add(1)
		}
		return nil
	})
}
