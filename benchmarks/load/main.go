// Command load drives an Engine.IO echo server over raw sockets, checks every echo, and tells what
// that cost the server. It keeps its own share of the processor small: frames are made in advance
// and only their sequence numbers change, and as many as are due leave in one write.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

func main() {
	// Nothing here lives long, and a collection would steal time from the server.
	debug.SetGCPercent(800)
	err := run(os.Args[1:], os.Stdout)
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

// run does what the flags say. The outcome of a run in which things went wrong is printed as well;
// only one that could not be made is an error.
func run(args []string, stdout io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if err := raiseFiles(o.files()); err != nil {
		return err
	}
	m, err := newMeter(o)
	if err != nil {
		return err
	}
	switch {
	case o.connect:
		err = connectRun(o, m)
	case o.idle:
		err = idleRun(o, m)
	case o.broadcast:
		err = broadcastRun(o, m)
	default:
		err = echoRun(o, m)
	}
	if err != nil {
		return err
	}
	return print(stdout, m.outcome(), o.json)
}
