package engineio_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// TestMain fails when goroutines outlive the tests, or when something does not hold for a session or server of theirs.
func TestMain(m *testing.M) {
	code := enginetest.Main(m)
	for _, what := range engineio.Broken() {
		fmt.Fprintln(os.Stderr, "must not happen:", what)
		code = 1
	}
	os.Exit(code)
}
