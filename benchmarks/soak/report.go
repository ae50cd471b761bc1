package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/benchmarks/soak/server"
)

// report is what a run found.
type report struct {
	o *options

	blank                   weight // before anything
	empty, webSockets, full weight // before sessions, with the WebSockets, with all; garbage collected
	standing                weight // at the end, as it stands
	after                   weight // with all closed again, garbage collected
	opening, closing        time.Duration

	began, ended reading // of the time they were held
	broadcasts   []broadcast
	delay        *hdrhistogram.Histogram // of broadcasts, in microseconds

	faults  Faults
	closed  map[string]int64 // by reason, as the servers say
	refused []string
}

// add adds another client's.
func (s *ClientState) add(t ClientState) {
	s.Alive += t.Alive
	s.Pings += t.Pings
	s.Faults.add(t.Faults)
	for i, received := range t.Received {
		if i == len(s.Received) {
			s.Received = append(s.Received, Received{})
		}
		s.Received[i].Count += received.Count
		s.Received[i].Last = max(s.Received[i].Last, received.Last)
	}
}

// sum asks all what went wrong.
func (c *crew) sum(r *report) error {
	s, err := c.states()
	if err != nil {
		return err
	}
	r.faults = s.Faults
	r.closed = make(map[string]int64)
	for _, p := range c.pairs {
		var state server.State
		if err := p.server.call(c.ctx, "Server.State", struct{}{}, &state); err != nil {
			return err
		}
		for reason, n := range state.Closed {
			r.closed[reason] += n
		}
		r.refused = append(r.refused, state.Errors...)
	}
	return nil
}

// verdict is an error when something went wrong, with what it was.
func (r *report) verdict() error {
	var bad int64
	for reason, n := range r.closed {
		if reason != engineio.ReasonClientClose.String() {
			bad += n
		}
	}
	if r.faults.Lost+r.faults.Wrong+bad == 0 {
		return nil
	}
	return fmt.Errorf("%d sessions lost, %d packets wrong or missing, the servers count %v\n%s",
		r.faults.Lost, r.faults.Wrong, r.closed, strings.Join(append(r.faults.First, r.refused...), "\n"))
}
