package abuse

import (
	"flag"
	"fmt"
	"os"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

var full = flag.Bool("abuse.full", false, "attack in full size, one attack at a time, and print figures")

// TestMain is the attackers, or, where the environment holds a spec, the server under attack.
func TestMain(m *testing.M) {
	if s := os.Getenv(specVariable); s != "" {
		serveSpec(s)
		return
	}
	code := enginetest.Main(m)
	if table := figuresTable(); table != "" {
		fmt.Print(table)
	}
	os.Exit(code)
}

// size is how often an attack strikes.
func size(small, large int) int {
	if *full {
		return large
	}
	return small
}
