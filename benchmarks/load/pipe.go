package main

import (
	"bytes"
	"errors"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// pipe is a client that keeps a number of messages under way on a WebSocket. New ones are sent, in
// one write, when half of them are back: servers that answer one by one then do not make the
// client write one by one.
type pipe struct {
	*player
	in     inbox
	window int
	out    outgoing
	sentAt []int64 // by message number, modulo window
}

func newPipe(o *options, s *session, p *player) *pipe {
	c := &pipe{
		player: p,
		window: o.pipeline,
		out:    newOutgoing(p.id, o.size, o.pipeline),
		sentAt: make([]int64, o.pipeline),
	}
	c.in = inbox{player: p, stream: s.ws, check: stamp.NewChecker(p.id, o.size)}
	c.in.began = func(seq int64) int64 { return c.sentAt[seq%int64(c.window)] }
	return c
}

// play sends and checks until it is told to stop and everything is back.
func (c *pipe) play() error {
	for {
		under := int(c.sent.Load() - c.received.Load())
		stopping := c.stop.Load()
		if stopping && under == 0 {
			return nil
		}
		if !stopping && under <= c.window/2 {
			if err := c.send(c.window - under); err != nil {
				return err
			}
		}
		if err := c.in.stream.fill(); err != nil {
			return err
		}
		if err := c.in.take(now()); err != nil {
			return err
		}
	}
}

// send sends n messages, behind the answers to pings.
func (c *pipe) send(n int) error {
	t, first := now(), c.sent.Load()
	for i := range n {
		c.sentAt[(first+int64(i))%int64(c.window)] = t
	}
	c.sent.Add(int64(n))
	frames := c.out.stamp(uint64(first), n)
	if len(c.in.answers) > 0 {
		frames = append(bytes.Clone(c.in.answers), frames...)
		c.in.answers = c.in.answers[:0]
	}
	_, err := c.in.stream.Write(frames)
	return err
}

// inbox checks and records what comes back on a WebSocket.
type inbox struct {
	*player
	stream  *stream
	check   *stamp.Checker
	began   func(seq int64) int64 // when the message's delay begins
	byBegin bool                  // a message counts if it began within the measured time, not if it ended there
	answers []byte                // to pings, for the owner to send
}

// take works on what has been read, at t. Messages that were sent together are recorded together.
func (b *inbox) take(t int64) error {
	received, sent := b.received.Load(), b.sent.Load()
	began, n := int64(0), int64(0)
	for {
		op, payload, ok, err := b.stream.next()
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		what, err := b.one(op, payload)
		if err != nil {
			return err
		}
		if what != echoed {
			continue
		}
		if received == sent {
			return wrong{errors.New("more echoes than messages")}
		}
		if at := b.began(received); at != began || n == 0 {
			b.record(began, t, n)
			began, n = at, 0
		}
		n++
		received++
	}
	b.record(began, t, n)
	b.received.Store(received)
	return nil
}

func (b *inbox) record(began, ended, n int64) {
	switch {
	case n == 0:
	case b.byBegin:
		b.m.record(b.id, began, ended-began, n)
	default:
		b.m.record(b.id, ended, ended-began, n)
	}
}

// one deals with one message or control frame.
func (b *inbox) one(op byte, payload []byte) (kind, error) {
	switch op {
	case opPing:
		b.answers = appendFrame(b.answers, opPong, payload)
		return nothing, nil
	case opPong:
		return nothing, nil
	case opClose:
		return nothing, closed(payload)
	case opBinary:
		return nothing, wrong{errors.New("a binary message")}
	}
	what, err := judge(payload, b.check)
	if what == pinged {
		b.answers = appendFrame(b.answers, opText, []byte("3"))
	}
	return what, err
}
