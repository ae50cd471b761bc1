package chaos_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

var (
	seedFlag     = flag.Uint64("chaos.seed", 0, "seed of all scripts, 0 for a new one")
	durationFlag = flag.Duration("chaos.duration", 2*time.Second, "how long clients keep coming")
	clientsFlag  = flag.Int("chaos.clients", 100, "clients at once")
)

// TestMain fails when goroutines outlive the test.
func TestMain(m *testing.M) {
	flag.Parse()
	if *seedFlag == 0 {
		*seedFlag = rand.Uint64N(1_000_000_000) + 1
	}
	os.Exit(enginetest.Main(m))
}

// replay is the command that repeats a run.
func replay() string {
	race := ""
	if raceEnabled {
		race = "-race "
	}
	return fmt.Sprintf("go test %s-v -run Chaos ./internal/chaos -chaos.seed %d -chaos.duration %v -chaos.clients %d",
		race, *seedFlag, *durationFlag, *clientsFlag)
}
