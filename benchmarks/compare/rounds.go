package main

import (
	"fmt"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// table is a row with its results.
type table struct {
	row
	Results []*result `json:"results"`
}

// compare runs the rows and writes the report.
func (b *bench) compare(selected []row) error {
	report := &report{Environment: b.environment(), Options: b.describe(), Notes: b.notes}
	for _, r := range selected {
		t, err := b.rounds(r)
		if err != nil {
			return err
		}
		if len(t.Results) > 0 {
			report.Tables = append(report.Tables, t)
		}
	}
	return report.write(b.o.out)
}

// rounds measures every server of a row once, then every one again: what changes on the machine
// meanwhile falls on all of them.
func (b *bench) rounds(r row) (*table, error) {
	t := &table{row: r}
	for _, s := range b.about(r) {
		t.Results = append(t.Results, &result{Server: s})
	}
	rounds := b.o.rounds
	if r.kind == memory {
		rounds = 1 // spreads by 1 %, and takes longest
	}
	for round := range rounds {
		for _, res := range t.Results {
			o, err := b.measure(res.Server, r.Args, b.o.warmup, b.o.duration)
			if err != nil {
				return nil, err
			}
			res.Runs = append(res.Runs, o)
			say("%-14s %d/%d  %-28s %s", r.Name, round+1, rounds, res.Server.Name, r.line(o))
		}
	}
	for i, res := range t.Results {
		res.sum(r)
		if first := t.Results[0].Cost; i > 0 && first > 0 || i == 0 && res.Cost > 0 {
			res.Ratio = res.Cost / first
		}
	}
	return t, nil
}

// line is a run in short, for whoever waits.
func (r row) line(o *outcome.Outcome) string {
	s := fmt.Sprintf("%8.3f CPU-s per million, %.0f/s", o.CPUPerMillion, o.Rate)
	if r.kind == memory {
		s = fmt.Sprintf("%8.0f bytes per session", o.PerSession)
	}
	if n := o.Errors(); n > 0 {
		s += fmt.Sprintf(", %d errors", n)
		if len(o.Faults) > 0 {
			s += ": " + plain(o.Faults[0])
		}
	}
	return s
}

// describe says how the runs were made.
func (b *bench) describe() string {
	s := fmt.Sprintf("%d interleaved rounds of %v after %v of warm-up, medians; memory in one round", b.o.rounds, b.o.duration, b.o.warmup)
	if b.o.rounds == 1 {
		s = fmt.Sprintf("one round of %v after %v of warm-up", b.o.duration, b.o.warmup)
	}
	if b.o.pin {
		return s + "; server and load generator pinned to a processor each"
	}
	return s + "; server and load generator share the processors"
}

// report is all that is written.
type report struct {
	Date        string   `json:"date"`
	Environment []fact   `json:"environment"`
	Options     string   `json:"options"`
	Notes       []string `json:"notes,omitempty"`
	Tables      []*table `json:"tables"`
}

func today() string { return time.Now().UTC().Format(time.DateOnly) }
