package main

import (
	"slices"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// result is what the runs of one server in one row came to.
type result struct {
	Server server             `json:"server"`
	Runs   []*outcome.Outcome `json:"runs"`
	Median outcome.Outcome    `json:"median"` // each number by itself
	Cost   float64            `json:"cost"`   // the median of what the row is about
	Spread float64            `json:"spread"` // of that: (max - min) / median
	Ratio  float64            `json:"ratio"`  // to the row's first server, 0 if either is missing
	Errors int64              `json:"errors"` // of all runs
	Faults []string           `json:"faults,omitempty"`
}

// cost is what a row is about: memory of a session, otherwise CPU time.
func (r row) cost(o *outcome.Outcome) float64 {
	if r.kind == memory {
		return o.PerSession
	}
	return o.CPUPerMillion
}

// sum fills in what follows from the runs.
func (res *result) sum(r row) {
	var counted []*outcome.Outcome // runs that came to something
	for _, o := range res.Runs {
		res.Errors += o.Errors()
		res.Faults = append(res.Faults, o.Faults...)
		if o.Count > 0 {
			counted = append(counted, o)
		}
	}
	if len(counted) == 0 {
		return
	}
	of := func(f func(*outcome.Outcome) float64) float64 { return median(counted, f) }
	whole := func(f func(*outcome.Outcome) int64) int64 {
		return int64(of(func(o *outcome.Outcome) float64 { return float64(f(o)) }))
	}
	res.Median = outcome.Outcome{
		What:          counted[0].What,
		Count:         whole(func(o *outcome.Outcome) int64 { return o.Count }),
		Seconds:       of(func(o *outcome.Outcome) float64 { return o.Seconds }),
		Rate:          of(func(o *outcome.Outcome) float64 { return o.Rate }),
		P50:           whole(func(o *outcome.Outcome) int64 { return o.P50 }),
		P90:           whole(func(o *outcome.Outcome) int64 { return o.P90 }),
		P99:           whole(func(o *outcome.Outcome) int64 { return o.P99 }),
		P999:          whole(func(o *outcome.Outcome) int64 { return o.P999 }),
		Max:           whole(func(o *outcome.Outcome) int64 { return o.Max }),
		CPUPerMillion: of(func(o *outcome.Outcome) float64 { return o.CPUPerMillion }),
		Cores:         of(func(o *outcome.Outcome) float64 { return o.Cores }),
		ClientCores:   of(func(o *outcome.Outcome) float64 { return o.ClientCores }),
		RSSMB:         of(func(o *outcome.Outcome) float64 { return o.RSSMB }),
		PerSession:    of(func(o *outcome.Outcome) float64 { return o.PerSession }),
	}
	res.Cost = of(r.cost)
	res.Spread = spread(counted, r.cost)
}

func values(runs []*outcome.Outcome, f func(*outcome.Outcome) float64) []float64 {
	v := make([]float64, len(runs))
	for i, o := range runs {
		v[i] = f(o)
	}
	slices.Sort(v)
	return v
}

// median of an even number of runs is the mean of the two in the middle.
func median(runs []*outcome.Outcome, f func(*outcome.Outcome) float64) float64 {
	v := values(runs, f)
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}

// spread is (max - min) / median, 0 without a median.
func spread(runs []*outcome.Outcome, f func(*outcome.Outcome) float64) float64 {
	v := values(runs, f)
	m := median(runs, f)
	if m == 0 {
		return 0
	}
	return (v[len(v)-1] - v[0]) / m
}
