package main

import (
	"testing"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

func runs(costs ...float64) (all []*outcome.Outcome) {
	for _, c := range costs {
		all = append(all, &outcome.Outcome{Count: 1, CPUPerMillion: c, Rate: 100 / c})
	}
	return all
}

func TestMedianAndSpread(t *testing.T) {
	r := row{}
	for _, c := range []struct {
		costs          []float64
		median, spread float64
	}{
		{[]float64{5}, 5, 0},
		{[]float64{9, 10, 12}, 10, 0.3},
		{[]float64{12, 9, 10}, 10, 0.3},
		{[]float64{8, 10, 12, 100}, 11, 92.0 / 11},
	} {
		res := &result{Runs: runs(c.costs...)}
		res.sum(r)
		if res.Cost != c.median || res.Spread != c.spread {
			t.Errorf("%v: median %v, spread %v, want %v, %v", c.costs, res.Cost, res.Spread, c.median, c.spread)
		}
	}
}

func TestErrorsOfAllRunsCount(t *testing.T) {
	res := &result{Runs: append(runs(10, 12),
		&outcome.Outcome{Failed: 1, Faults: []string{"it did not start"}},
		&outcome.Outcome{Count: 1, CPUPerMillion: 11, Lost: 2, Mismatched: 1})}
	res.sum(row{})
	if res.Errors != 4 || len(res.Faults) != 1 {
		t.Errorf("%d errors, faults %v", res.Errors, res.Faults)
	}
	if res.Cost != 11 {
		t.Errorf("median %v: a run without a result must not count", res.Cost)
	}
}

func TestNoRunNoFigures(t *testing.T) {
	res := &result{Runs: []*outcome.Outcome{{Failed: 1}}}
	res.sum(row{})
	if res.Cost != 0 || res.Errors != 1 {
		t.Errorf("got %+v", res)
	}
}
