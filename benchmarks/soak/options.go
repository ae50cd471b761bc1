package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"syscall"
	"time"
)

// options are the flags.
type options struct {
	webSockets, polls         int
	duration, limit           time.Duration
	tuned, verbose            bool
	stack, out                string
	pingInterval, pingTimeout time.Duration
	perProcess                int
	dials                     int
	every, patience, rest     time.Duration
	bytes                     int
	env                       []string // for the children, besides their role
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("soak", flag.ContinueOnError)
	f.IntVar(&o.webSockets, "websockets", 100_000, "sessions on WebSocket")
	f.IntVar(&o.polls, "polls", 20_000, "sessions on long-polling")
	f.DurationVar(&o.duration, "duration", 10*time.Minute, "how long they are held")
	f.DurationVar(&o.limit, "limit", 20*time.Minute, "how long all of it may take")
	f.BoolVar(&o.tuned, "tuned", false, "set the HTTP server with engineio.Tune")
	f.StringVar(&o.stack, "stack", "fasthttp", "fasthttp or fiber")
	f.StringVar(&o.out, "out", "", "file for the table as well, such as results/soak.md")
	f.BoolVar(&o.verbose, "v", false, "tell more on the way")
	f.DurationVar(&o.pingInterval, "ping-interval", 25*time.Second, "time between heartbeats")
	f.DurationVar(&o.pingTimeout, "ping-timeout", 20*time.Second, "time to answer one")
	f.IntVar(&o.perProcess, "per-process", 0, "sessions of a process at most; 0 is nine tenths of its files")
	f.IntVar(&o.dials, "dials", 64, "connections being opened at a time")
	f.DurationVar(&o.every, "broadcast-every", time.Minute, "time between broadcasts; a short run makes three too")
	f.DurationVar(&o.patience, "patience", 30*time.Second, "how long a broadcast may take to arrive everywhere")
	f.DurationVar(&o.rest, "rest", 25*time.Second,
		"time from the end of the last session to the last weighing; fasthttp keeps idle goroutines for 20 s")
	f.IntVar(&o.bytes, "bytes", 256, "size of a broadcast")
	f.SetOutput(io.Discard)
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			f.SetOutput(nil) // standard error
			f.PrintDefaults()
		}
		return nil, err
	}
	return o, o.check(f.Args())
}

func (o *options) check(rest []string) error {
	files, err := fileLimit()
	if err != nil {
		return err
	}
	if o.perProcess == 0 {
		o.perProcess = min(files*9/10, files-reserve)
	}
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%q is no flag", rest[0])
	case o.webSockets < 0 || o.polls < 0 || o.sessions() == 0:
		return errors.New("-websockets and -polls must be some sessions")
	case o.stack != "fasthttp" && o.stack != "fiber":
		return fmt.Errorf("-stack is %q, must be fasthttp or fiber", o.stack)
	case o.duration <= 0 || o.every <= 0 || o.patience <= 0 || o.rest < 0:
		return errors.New("-duration, -broadcast-every and -patience must be above 0, and -rest not below")
	case o.limit <= o.duration:
		return errors.New("-limit must be above -duration")
	case o.pingInterval < time.Millisecond || o.pingTimeout < time.Millisecond:
		return errors.New("-ping-interval and -ping-timeout must be 1ms at least")
	case o.perProcess < 1 || o.perProcess > files-reserve:
		return fmt.Errorf("-per-process must be 1 to %d, %d files less than ulimit -Hn has", files-reserve, reserve)
	case o.dials < 1 || o.dials > reserve/2:
		return fmt.Errorf("-dials must be 1 to %d", reserve/2)
	case o.bytes < stamped || o.bytes > largest:
		return fmt.Errorf("-bytes must be %d to %d", stamped, largest)
	case o.sessions() > perSource*sources:
		return fmt.Errorf("%d sessions are more than %d source addresses have ports for", o.sessions(), sources)
	}
	return nil
}

// reserve is how many files a process needs besides its sessions: its own, and the connections that
// say goodbye for polls.
const reserve = 200

func (o *options) sessions() int { return o.webSockets + o.polls }

// pairs is how many pairs of a server and a client the sessions take.
func (o *options) pairs() int { return (o.sessions() + o.perProcess - 1) / o.perProcess }

// share is the part of n that falls to pair i.
func (o *options) share(n, i int) int { return n*(i+1)/o.pairs() - n*i/o.pairs() }

// broadcastEvery leaves time for three broadcasts in a short run.
func (o *options) broadcastEvery() time.Duration { return min(o.every, o.duration/4) }

// fileLimit is how many files a process may have. Go raises the soft limit to the hard one itself.
func fileLimit() (int, error) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, err
	}
	return int(min(limit.Max, math.MaxInt32)), nil
}
