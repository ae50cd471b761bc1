package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/fasteio/engineio/benchmarks/internal/outcome"
)

// curve is a question of how a cost grows: one measurement for each of some values.
type curve struct {
	title, about string
	value        string // heading of the first column
	steps        []step
	server       server
	kind         kind
}

// step is one measurement of a curve.
type step struct {
	value string
	args  []string
}

const (
	// Message loads that take both transports well below the capacity of two processors, so that
	// only the number of sessions changes.
	webSocketLoad = 10_000
	pollingLoad   = 3_000
)

func (b *bench) curves() []curve {
	ours, cast := b.ours()
	raw := server{Name: "raw loop of writes", command: []string{b.bin("broadcast"), "-mode", "raw"}, settles: true}
	return []curve{
		{"Sessions on WebSocket", fmt.Sprintf("%s messages a second in all, on schedule (open loop), 64 bytes.", thousands(webSocketLoad)),
			"sessions", sessionSteps("websocket", webSocketLoad), ours, latency},
		{"Sessions on long-polling", fmt.Sprintf("%s messages a second in all, on schedule (open loop), 64 bytes; a poll is always waiting.", thousands(pollingLoad)),
			"sessions", sessionSteps("polling", pollingLoad), ours, latency},
		{"Sizes on WebSocket", "50 sessions, one message at a time.", "bytes", sizeSteps("websocket"), ours, latency},
		{"Sizes on long-polling", "50 sessions, one message at a time.", "bytes", sizeSteps("polling"), ours, latency},
		{"Broadcast", "256 bytes to all; the next when all have it.", "sessions", audienceSteps(), cast, fanout},
		{"Broadcast, the ceiling", "One write for each connection in a plain loop.", "sessions", audienceSteps(), raw, fanout},
	}
}

// ours are the servers that are measured: the tuned ones if there are.
func (b *bench) ours() (echo, broadcast server) {
	echo = server{Name: "engineio on fasthttp", command: []string{b.bin("echo"), "-stack", "fasthttp", "-max-payload", "2097152"}, settles: true}
	if b.tunable {
		echo.Name += ", tuned"
		echo.command = append(echo.command, "-tuned")
	}
	return echo, server{Name: "engineio Broadcast, tuned", command: []string{b.bin("broadcast"), "-mode", "engine", "-tuned"}, settles: true}
}

func sessionSteps(transport string, rate int) (steps []step) {
	for _, n := range []int{10, 100, 1_000, 10_000} {
		steps = append(steps, step{thousands(float64(n)), args(fmt.Sprintf("-transport %s -clients %d -rate %d -size 64", transport, n, rate))})
	}
	return steps
}

func sizeSteps(transport string) (steps []step) {
	for _, n := range []int{16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20} {
		steps = append(steps, step{thousands(float64(n)), args(fmt.Sprintf("-transport %s -clients 50 -size %d", transport, n))})
	}
	return steps
}

func audienceSteps() (steps []step) {
	for _, n := range []int{100, 1_000, 5_000, 10_000} {
		steps = append(steps, step{thousands(float64(n)), args(fmt.Sprintf("-broadcast -clients %d -size 256", n))})
	}
	return steps
}

// scale measures the curves and writes scale.md.
func (b *bench) scale() error {
	var text strings.Builder
	fmt.Fprintf(&text, "# How it scales\n\n%s. %s. What is measured is this engine, and for the broadcasts a ceiling.\n",
		today(), upper(b.describe()))
	for i, f := range b.environment() {
		text.WriteString([]string{"\n", " · "}[min(i, 1)] + f.What + " " + f.Value)
	}
	text.WriteString("\n")
	for _, c := range b.curves() {
		if err := b.curve(&text, c); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(b.o.out, 0o777); err != nil {
		return err
	}
	say("written to %s", filepath.Join(b.o.out, "scale.md"))
	return os.WriteFile(filepath.Join(b.o.out, "scale.md"), []byte(text.String()), 0o666)
}

// curve measures each step as often as there are rounds, in turn, and appends its table.
func (b *bench) curve(text *strings.Builder, c curve) error {
	results := make([]*result, len(c.steps))
	r := row{Name: c.title, kind: c.kind}
	for round := range b.o.rounds {
		for i, s := range c.steps {
			results[i] = cmp.Or(results[i], &result{Server: c.server})
			o, err := b.measure(c.server, s.args, b.o.warmup, b.o.duration)
			if err != nil {
				return err
			}
			results[i].Runs = append(results[i].Runs, o)
			say("%-26s %d/%d  %9s  %s", c.title, round+1, b.o.rounds, s.value, r.line(o))
		}
	}
	columns := c.columns()
	fmt.Fprintf(text, "\n## %s: %s\n\n%s\n\n| %s |", c.title, c.server.Name, c.about, c.value)
	for _, column := range columns {
		text.WriteString(" " + column.head + " |")
	}
	text.WriteString("\n|--:|" + strings.Repeat("--:|", len(columns)) + "\n")
	for i, res := range results {
		res.sum(r)
		text.WriteString("| " + c.steps[i].value + " |")
		for _, column := range columns {
			text.WriteString(" " + column.cell(res) + " |")
		}
		text.WriteString("\n")
	}
	for i, res := range results {
		if len(res.Faults) > 0 {
			fmt.Fprintf(text, "\nAt %s, for example: `%s`\n", c.steps[i].value, plain(res.Faults[0]))
		}
	}
	return nil
}

func (c *curve) columns() []column {
	whole := func(head string, f func(*outcome.Outcome) int64) column {
		return number(head, "%.0f", func(o *outcome.Outcome) float64 { return float64(f(o)) })
	}
	counted, of := "messages/s", ""
	if c.kind == fanout {
		counted, of = "deliveries/s", "last delivery, "
	}
	return []column{
		{"CPU-s per million", func(res *result) string { return fmt.Sprintf("%.3f", res.Cost) }},
		{"spread %", func(res *result) string { return fmt.Sprintf("%.0f", 100*res.Spread) }},
		{counted, func(res *result) string { return thousands(res.Median.Rate) }},
		whole(of+"p50 us", func(o *outcome.Outcome) int64 { return o.P50 }),
		whole(of+"p99 us", func(o *outcome.Outcome) int64 { return o.P99 }),
		whole("p99.9 us", func(o *outcome.Outcome) int64 { return o.P999 }),
		number("server cores", "%.2f", func(o *outcome.Outcome) float64 { return o.Cores }),
		number("RSS MB", "%.1f", func(o *outcome.Outcome) float64 { return o.RSSMB }),
		{"errors", func(res *result) string { return fmt.Sprint(res.Errors) }},
	}
}
