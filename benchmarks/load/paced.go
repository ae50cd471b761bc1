package main

import "github.com/fasteio/engineio/benchmarks/internal/stamp"

// paced is a client on WebSocket that sends on schedule. The pacer's goroutine sends, its own reads.
type paced struct {
	*player
	in  inbox
	out outgoing
}

func newPaced(o *options, s *session, p *player, when *schedule, place int) *paced {
	c := &paced{player: p, out: newOutgoing(p.id, o.size, 1)}
	c.in = inbox{player: p, stream: s.ws, check: stamp.NewChecker(p.id, o.size), byBegin: true}
	c.in.began = func(seq int64) int64 { return when.due(place, seq) }
	return c
}

func (c *paced) send(seq int64) error {
	_, err := c.in.stream.Write(c.out.stamp(uint64(seq), 1))
	return err
}

// play reads until it is woken.
func (c *paced) play() error {
	for {
		if err := c.in.stream.fill(); err != nil {
			if c.woken(err) {
				return nil
			}
			return err
		}
		if err := c.in.take(now()); err != nil {
			return err
		}
		if len(c.in.answers) > 0 {
			if _, err := c.in.stream.Write(c.in.answers); err != nil {
				return err
			}
			c.in.answers = c.in.answers[:0]
		}
	}
}
