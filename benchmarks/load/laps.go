package main

import (
	"errors"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// laps is a client on long-polling: it posts all messages of a lap at once and polls until their
// echoes are back. The polls have a connection of their own and do not wait for the POST's answer,
// as some servers do not give it before the echoes have been fetched.
type laps struct {
	*player
	s      *session
	check  *stamp.Checker
	window int
	post   []byte // head and body
	stamps []int  // where the numbers are in it
	get    []byte
	pong   []byte
	pings  int // to be answered
}

func newLaps(o *options, s *session, p *player) *laps {
	c := &laps{
		player: p,
		s:      s,
		check:  stamp.NewChecker(p.id, o.size),
		window: o.pipeline,
		get:    o.get(s.sid),
		pong:   o.post(s.sid, "3"),
	}
	c.post, c.stamps = postOf(o, s.sid, p.id, o.pipeline)
	return c
}

// postOf is a POST with n messages of a client, and the places of their numbers.
func postOf(o *options, sid string, client, n int) (post []byte, stamps []int) {
	packet := append([]byte("4"), stamp.Message(client, 0, o.size)...)
	var body []byte
	for range n {
		body = appendPacket(body, o.revision, packet)
		stamps = append(stamps, len(body)-len(packet)+1+stamp.ClientDigits)
	}
	head := o.postHead(sid, len(body))
	for i := range stamps {
		stamps[i] += len(head)
	}
	return append(head, body...), stamps
}

// play runs laps until it is told to stop.
func (c *laps) play() error {
	for !c.stop.Load() {
		if err := c.lap(); err != nil {
			return err
		}
	}
	return nil
}

func (c *laps) lap() error {
	first := c.sent.Load()
	for i, at := range c.stamps {
		stamp.Put(c.post[at:at+stamp.Len-stamp.ClientDigits], uint64(first)+uint64(i))
	}
	t := now()
	c.sent.Add(int64(c.window))
	if _, err := c.s.post.Write(c.post); err != nil {
		return err
	}
	for c.received.Load() < c.sent.Load() {
		if err := c.fetch(t); err != nil {
			return err
		}
	}
	if _, err := c.s.post.response(200); err != nil {
		return err
	}
	for ; c.pings > 0; c.pings-- {
		if err := c.answer(); err != nil {
			return err
		}
	}
	return nil
}

// answer posts a pong.
func (c *laps) answer() error {
	if _, err := c.s.post.Write(c.pong); err != nil {
		return err
	}
	_, err := c.s.post.response(200)
	return err
}

// fetch is a GET; the messages in its answer were sent at t.
func (c *laps) fetch(t int64) error {
	if _, err := c.s.poll.Write(c.get); err != nil {
		return err
	}
	body, err := c.s.poll.response(200)
	if err != nil {
		return err
	}
	n := int64(0)
	err = packets(body, c.s.o.revision, func(packet []byte) error {
		what, err := judge(packet, c.check)
		switch what {
		case echoed:
			n++
		case pinged:
			c.pings++
		}
		return err
	})
	if err != nil {
		return err
	}
	if n > c.sent.Load()-c.received.Load() {
		return wrong{errors.New("more echoes than messages")}
	}
	if n > 0 {
		back := now()
		c.m.record(c.id, back, back-t, n)
		c.received.Add(n)
	}
	return nil
}
