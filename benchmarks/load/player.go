package main

import (
	"net"
	"sync/atomic"
	"time"
)

// player is what all clients that play messages with the server have in common.
type player struct {
	id    int
	m     *meter
	stop  *atomic.Bool // send no more, and end when everything is back
	conns []net.Conn

	sent, received atomic.Int64 // messages
	ended          atomic.Bool
}

func (p *player) base() *player { return p }

// late says how far the server has come and whether more is due from it.
func (p *player) late() (received int64, waiting bool) {
	received = p.received.Load()
	return received, received < p.sent.Load()
}

// end ends the player. What is under way is lost if there was an error.
func (p *player) end(err error) {
	p.ended.Store(true)
	if err != nil {
		p.m.fault(p.id, err)
		p.m.lost.Add(p.sent.Load() - p.received.Load())
	}
}

// wake makes reads and writes that are under way fail with a timeout.
func (p *player) wake() {
	for _, c := range p.conns {
		_ = c.SetDeadline(time.Unix(1, 0))
	}
}

// woken tells whether err comes from wake at the end, when there is nothing left to wait for.
func (p *player) woken(err error) bool {
	_, waiting := p.late()
	return isTimeout(err) && p.stop.Load() && !waiting
}

// watch wakes players that have been waiting for longer than the timeout, until over is closed. One
// ticker for all is cheaper than a deadline for every read.
func watch(players []*player, timeout time.Duration, over <-chan struct{}) {
	type seen struct{ received, since int64 }
	last := make([]seen, len(players))
	tick := time.NewTicker(min(timeout/4, time.Second))
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-over:
			return
		}
		t := now()
		for i, p := range players {
			received, waiting := p.late()
			if !waiting || received != last[i].received || last[i].since == 0 {
				last[i] = seen{received, t}
			} else if t-last[i].since > int64(timeout) {
				p.wake()
			}
		}
	}
}
