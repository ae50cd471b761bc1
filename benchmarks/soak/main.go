// Command soak holds very many idle sessions for a long time, on WebSockets and in parked polls, and
// tells what that costs the server: memory, processor time, and how long a broadcast to all takes.
// No session may be lost, and every client must get every broadcast once and in order; otherwise
// the exit status is 1.
//
// A process may hold as many connections as it may have files (ulimit -Hn). Soak starts as many pairs
// of a server and a client process as that takes. They end when their standard input does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/fasteio/engineio/benchmarks/soak/server"
)

func main() {
	if work(server.Plan{Stack: server.FastHTTP}) {
		return
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := command(ctx, os.Args[1:])
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

// role is the variable that makes the program one of its own children.
const role = "SOAK_ROLE"

// work does what the role says; false when there is none. A child outlives an interrupt, which the
// terminal sends to it too, until its parent has gone.
func work(plan server.Plan) bool {
	var err error
	switch os.Getenv(role) {
	case "":
		return false
	case "server":
		signal.Ignore(os.Interrupt)
		err = server.Run(os.Stdin, os.Stdout, plan)
	case "client":
		signal.Ignore(os.Interrupt)
		<-server.Obey("Client", &Client{}, os.Stdin, os.Stdout)
	default:
		err = fmt.Errorf("%s is %q", role, os.Getenv(role))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	return true
}

// command does what the flags say.
func command(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	r, err := soak(ctx, o, os.Stderr)
	if err != nil {
		return err
	}
	table := r.markdown()
	fmt.Print(table)
	if o.out != "" {
		if err := os.WriteFile(o.out, []byte(table), 0o666); err != nil {
			return err
		}
	}
	return r.verdict()
}
