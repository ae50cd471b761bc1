package main

import (
	"fmt"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// markdown is the report as a table.
func (r *report) markdown() string {
	var b strings.Builder
	stack := "fasthttp"
	if r.o.stack == "fiber" {
		stack = "Fiber"
	}
	if r.o.tuned {
		stack += ", Tune"
	}
	version := strings.TrimPrefix(runtime.Version(), "go")
	fmt.Fprintf(&b, "| %s; %d processors, Go %s | |\n|---|--:|\n", stack, runtime.NumCPU(), version)
	for _, row := range slices.Concat(r.sessionRows(), r.memoryRows(), r.processorRows(), r.broadcastRows()) {
		fmt.Fprintf(&b, "| %s | %s |\n", row[0], row[1])
	}
	return b.String()
}

type row [2]string

func (r *report) sessionRows() []row {
	return []row{
		{"idle WebSocket sessions", count(r.o.webSockets)},
		{"parked polls", count(r.o.polls)},
		{
			"processes (each has files for " + count(r.o.perProcess) + " sessions)",
			fmt.Sprintf("%d servers, %[1]d clients", r.o.pairs()),
		},
		{"held for", r.held().Round(time.Second).String()},
		{"opened in, closed in", fmt.Sprintf("%.1f s, %.1f s", r.opening.Seconds(), r.closing.Seconds())},
		{"heartbeats answered", count(r.heartbeats())},
		{"sessions lost", count(r.faults.Lost)},
		{"packets wrong, doubled, missing or out of order", count(r.faults.Wrong)},
	}
}

func (r *report) memoryRows() []row {
	return []row{
		{"RSS of the servers, empty", mebibytes(r.empty.rss)},
		{"RSS with all sessions, garbage collected", mebibytes(r.full.rss)},
		{"per WebSocket", perSession(r.webSockets.rss-r.empty.rss, r.o.webSockets)},
		{"per parked poll", perSession(r.full.rss-r.webSockets.rss, r.o.polls)},
		{"RSS at the end, as it stands", mebibytes(r.standing.rss)},
		{"per session", perSession(r.standing.rss-r.empty.rss, r.o.sessions())},
		{"RSS with all closed, garbage collected", mebibytes(r.after.rss)},
		{"goroutines of all servers: before, with all closed", fmt.Sprintf("%d, %d", r.blank.goroutines, r.after.goroutines)},
		{"kernel memory per session, both ends (slab)", perSession(r.full.slab-r.empty.slab, r.o.sessions())},
		{"goroutines per session", ratio(float64(r.standing.goroutines-r.blank.goroutines), float64(r.o.sessions()), 2)},
	}
}

func (r *report) processorRows() []row {
	all, quiet, sessions := r.ended.minus(r.began), r.quiet(), float64(r.o.sessions())
	return []row{
		{"processor time of the servers", seconds(all.servers)},
		{"of it for broadcasts", seconds(r.forBroadcasts())},
		{"per session and second, heartbeats alone", ratio(micro(quiet.servers), sessions*quiet.time.Seconds(), 2) + " us"},
		{"per heartbeat", ratio(micro(quiet.servers), float64(quiet.pings), 0) + " us"},
		{"processor time of the clients", seconds(all.clients)},
		{"processor time of everything else on the machine", seconds(max(all.machine-all.servers-all.clients, 0))},
	}
}

func (r *report) broadcastRows() []row {
	calls := r.spread(func(b broadcast) time.Duration { return b.calls })
	last := r.spread(func(b broadcast) time.Duration { return b.last })
	deliveries := r.deliveries()
	ms := func(quantile float64) string {
		return fmt.Sprintf("%.0f", float64(r.delay.ValueAtQuantile(quantile))/1e3)
	}
	return []row{
		{
			fmt.Sprintf("broadcasts of %d bytes; deliveries", r.o.bytes),
			fmt.Sprintf("%d; %s", len(r.broadcasts), count(deliveries)),
		},
		{"calls of Broadcast, all servers, one after the other: median, longest", calls},
		{"until the last session had it: median, longest", last},
		{"until a session had it: p50, p99, longest", ms(50) + ", " + ms(99) + ", " + ms(100) + " ms"},
		{"processor time of the servers per delivery", ratio(micro(r.forBroadcasts()), float64(deliveries), 1) + " us"},
	}
}

// held is the time that was measured.
func (r *report) held() time.Duration { return r.ended.time - r.began.time }

func (r *report) heartbeats() int64 { return r.ended.pings - r.began.pings }

func (r *report) deliveries() (n int64) {
	for _, b := range r.broadcasts {
		n += b.deliveries
	}
	return n
}

// loud is what passed during broadcasts, and quiet what passed between them.
func (r *report) loud() (sum reading) {
	for _, b := range r.broadcasts {
		sum = sum.plus(b.ended.minus(b.began))
	}
	return sum
}

func (r *report) quiet() reading { return r.ended.minus(r.began).minus(r.loud()) }

// forBroadcasts is the servers' processor time during broadcasts, less what the heartbeats of that time cost.
func (r *report) forBroadcasts() time.Duration {
	loud, quiet := r.loud(), r.quiet()
	return max(loud.servers-time.Duration(float64(quiet.servers)*float64(loud.pings)/float64(max(quiet.pings, 1))), 0)
}

func (r reading) plus(s reading) reading {
	return reading{
		r.time + s.time, r.servers + s.servers, r.clients + s.clients, r.machine + s.machine, r.pings + s.pings,
	}
}

func (r reading) minus(s reading) reading {
	return r.plus(reading{-s.time, -s.servers, -s.clients, -s.machine, -s.pings})
}

// spread is the median and the largest of a figure of the broadcasts.
func (r *report) spread(figure func(b broadcast) time.Duration) string {
	if len(r.broadcasts) == 0 {
		return "none"
	}
	var all []time.Duration
	for _, b := range r.broadcasts {
		all = append(all, figure(b))
	}
	slices.Sort(all)
	return fmt.Sprintf("%s, %s", round(all[len(all)/2]), round(all[len(all)-1]))
}

func micro(d time.Duration) float64 { return float64(d) / 1e3 }

func seconds(d time.Duration) string { return fmt.Sprintf("%.1f s", d.Seconds()) }

func mebibytes(n int64) string { return count((n+1<<19)>>20) + " MiB" }

func perSession(bytes int64, sessions int) string {
	if sessions == 0 {
		return "none"
	}
	return count(bytes/int64(sessions)) + " bytes"
}

func ratio(a, b float64, digits int) string {
	if b == 0 {
		return "0"
	}
	return strconv.FormatFloat(a/b, 'f', digits, 64)
}

// count writes a number with a comma between thousands.
func count[T int | int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}
