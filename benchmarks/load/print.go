package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// print writes the outcome, for programs or for people.
func print(w io.Writer, o *outcome.Outcome, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(o)
	}
	if o.What == "sessions" {
		fmt.Fprintf(w, "%d sessions held for %.2f s\n", o.Count, o.Seconds)
	} else {
		fmt.Fprintf(w, "%d %s in %.2f s: %.0f/s\n", o.Count, o.What, o.Seconds, o.Rate)
	}
	if o.Max > 0 {
		fmt.Fprintf(w, "latency us     p50 %d  p90 %d  p99 %d  p99.9 %d  max %d\n", o.P50, o.P90, o.P99, o.P999, o.Max)
	}
	if o.What == "sessions" {
		fmt.Fprintf(w, "server         %.3f cores, RSS %.1f MB\n", o.Cores, o.RSSMB)
	} else if o.RSSMB > 0 {
		fmt.Fprintf(w, "server         %.3f CPU-s per million, %.2f cores, RSS %.1f MB\n", o.CPUPerMillion, o.Cores, o.RSSMB)
	}
	if o.PerSession != 0 {
		fmt.Fprintf(w, "memory         %.0f bytes per session\n", o.PerSession)
	}
	fmt.Fprintf(w, "load generator %.2f cores\n", o.ClientCores)
	_, err := fmt.Fprintf(w, "errors         %d mismatched, %d lost, %d timeouts, %d failed\n", o.Mismatched, o.Lost, o.Timeouts, o.Failed)
	for _, fault := range o.Faults {
		_, err = fmt.Fprintln(w, "  "+fault)
	}
	return err
}
