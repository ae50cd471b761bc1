package main

import (
	"cmp"
	"flag"
	"fmt"
	"net/url"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// options are the flags.
type options struct {
	host, path string // of the URL
	transport  string
	revision   int
	clients    int
	size       int
	pipeline   int
	rate       float64
	connect    bool
	idle       bool
	broadcast  bool
	duration   time.Duration
	warmup     time.Duration
	timeout    time.Duration
	sources    int
	pid        int
	settle     bool
	json       bool
}

func parse(args []string) (*options, error) {
	o := &options{}
	f := flag.NewFlagSet("load", flag.ContinueOnError)
	target := f.String("url", "http://127.0.0.1:3000/engine.io/", "the server")
	f.StringVar(&o.transport, "transport", "websocket", "websocket, polling, or upgrade from one to the other")
	f.IntVar(&o.revision, "revision", 4, "of the protocol, 4 or 3")
	f.IntVar(&o.clients, "clients", 50, "sessions at once")
	f.IntVar(&o.size, "size", 64, "bytes of a message, 16 up")
	f.IntVar(&o.pipeline, "pipeline", 1, "closed loop: messages of a client under way at once; with -broadcast, broadcasts per request")
	f.Float64Var(&o.rate, "rate", 0, "open loop: messages per second of all clients together, sent on schedule whatever the server does")
	f.BoolVar(&o.connect, "connect", false, "open and close sessions, and count the handshakes")
	f.BoolVar(&o.idle, "idle", false, "hold sessions that do nothing, and weigh them")
	f.BoolVar(&o.broadcast, "broadcast", false, "listen to what POST /broadcast of peers/broadcast sends, and count it")
	f.DurationVar(&o.duration, "duration", 6*time.Second, "measured time")
	f.DurationVar(&o.warmup, "warmup", time.Second, "time before it")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "a client that waits longer is given up")
	f.IntVar(&o.sources, "sources", 0, "addresses 127.0.0.x to connect from; 0 chooses")
	f.IntVar(&o.pid, "pid", 0, "the server's process, for its CPU time and memory")
	f.BoolVar(&o.settle, "settle", false, "SIGUSR2 makes this server collect its garbage: send it before memory is read")
	f.BoolVar(&o.json, "json", false, "print the outcome as JSON")
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if err := o.aim(*target); err != nil {
		return nil, err
	}
	return o, o.check()
}

func (o *options) aim(target string) error {
	u, err := url.Parse(target)
	if err != nil {
		return err
	}
	if u.Scheme != "http" || u.Host == "" {
		return fmt.Errorf("-url is %q, must be http://address:port/path", target)
	}
	o.host, o.path = u.Host, cmp.Or(u.Path, "/")
	return nil
}

func (o *options) check() error {
	switch {
	case o.transport != "websocket" && o.transport != "polling" && o.transport != "upgrade":
		return fmt.Errorf("-transport is %q", o.transport)
	case o.revision != 3 && o.revision != 4:
		return fmt.Errorf("-revision is %d", o.revision)
	case o.clients < 1 || o.clients > maxClients:
		return fmt.Errorf("-clients is %d, must be 1 to %d", o.clients, maxClients)
	case o.size < stamp.Len || o.size > 64<<20:
		return fmt.Errorf("-size is %d, must be %d to 64 MiB", o.size, stamp.Len)
	case o.pipeline < 1 || o.pipeline > 1<<16:
		return fmt.Errorf("-pipeline is %d", o.pipeline)
	case o.pipeline > 1 && o.pipeline*o.size > maxWindow:
		return fmt.Errorf("-pipeline times -size is %d, must be %d at most", o.pipeline*o.size, maxWindow)
	case o.rate < 0:
		return fmt.Errorf("-rate is %v", o.rate)
	case o.duration <= 0 || o.duration > time.Hour || o.warmup < 0:
		return fmt.Errorf("-duration must be above 0 and an hour at most, -warmup not negative")
	case o.broadcast && o.transport != "websocket":
		return fmt.Errorf("-broadcast listens on websocket only")
	}
	if o.sources == 0 {
		o.sources = 1 + o.clients/20_000
		if o.connect {
			o.sources = 8 // a closed connection keeps its port for a while
		}
	}
	return nil
}

// maxWindow keeps both sides from waiting for each other: a client writes what is due before it
// reads, and this much the sockets of both take in between.
const maxWindow = 4 << 20

// maxClients is what the client number of a stamp can hold, and more than one machine can.
const maxClients = 1 << 20

// laps tells whether the clients run laps, see there.
func (o *options) laps() bool {
	return o.transport == "polling" && o.rate == 0 && !o.idle && !o.connect
}

// files is how many descriptors the run may need at once.
func (o *options) files() int {
	const others = 100
	switch {
	case o.laps(), o.connect && o.transport == "upgrade":
		return 2*o.clients + others
	case o.transport == "polling" && o.rate > 0:
		return o.clients + min(o.clients, maxLanes) + others
	}
	return o.clients + atOnce + others // upgrades have two while they are made
}
