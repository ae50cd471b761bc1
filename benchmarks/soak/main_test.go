package main

import (
	"flag"
	"os"
	"testing"

	"github.com/fasteio/engineio/benchmarks/soak/server"
)

// The children of a run are the program itself, which here is the test.
func TestMain(m *testing.M) {
	if work(server.Plan{Stack: server.FastHTTP, Broadcast: planted()}) {
		os.Exit(0)
	}
	flag.Parse()
	_ = flag.Set("test.parallel", "20") // the tests wait more than they work
	os.Exit(m.Run())
}
