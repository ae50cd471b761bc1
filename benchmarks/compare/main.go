// Command compare runs the load generator against this engine and its peers, one after the other,
// and writes what each of them costs to a folder: tables, the same as JSON, and a picture.
//
//	cd benchmarks && go run ./compare [-rounds 3] [-duration 6s] [-rows ws-pingpong,idle-ws]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	rounds   int
	duration time.Duration
	warmup   time.Duration
	rows     string
	servers  string
	out      string
	build    string
	pin      bool
	scale    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func parse(args []string) (o options, err error) {
	f := flag.NewFlagSet("compare", flag.ContinueOnError)
	f.IntVar(&o.rounds, "rounds", 3, "rounds of each row; the median counts")
	f.DurationVar(&o.duration, "duration", 6*time.Second, "measured time of a run")
	f.DurationVar(&o.warmup, "warmup", 2*time.Second, "time before it; just-in-time compilers need it")
	f.StringVar(&o.rows, "rows", "", "only these rows, names separated by commas: "+rowNames())
	f.StringVar(&o.servers, "servers", "", "only servers with one of these words in their names, separated by commas")
	f.StringVar(&o.out, "out", "results", "folder for latest.md, latest.json and latest.svg")
	f.StringVar(&o.build, "build", "", "build the servers and the load generator into this folder, and run nothing")
	f.BoolVar(&o.pin, "pin", false, "server on the first processor, load generator on the second")
	f.BoolVar(&o.scale, "scale", false, "how this engine's cost grows with sessions, sizes and audiences, in scale.md")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if o.rounds < 1 || o.rounds > 100 || o.duration <= 0 || o.duration > 10*time.Minute || o.warmup < 0 {
		return o, errors.New("-rounds is 1 to 100, -duration 10m at most, -warmup not negative")
	}
	return o, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	selected, err := selectRows(o.rows)
	if err != nil {
		return err
	}
	if err := raiseFiles(); err != nil {
		return err
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	defer b.close()
	switch {
	case o.build != "":
		return nil
	case o.scale:
		return b.scale()
	}
	return b.compare(selected)
}

// raiseFiles lets this process, and so those it starts, open as many files as is allowed.
func raiseFiles() error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}

// oneOf tells whether a comma-separated list is empty or has a word of it in name.
func oneOf(list, name string) bool {
	if list == "" {
		return true
	}
	for word := range strings.SplitSeq(list, ",") {
		if strings.Contains(name, strings.TrimSpace(word)) {
			return true
		}
	}
	return false
}
