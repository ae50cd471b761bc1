package enginetest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// Main runs a package's tests for its TestMain, and fails when goroutines outlive them. More tests than
// there are processors run at once, since they wait more than they work; -parallel overrides it.
func Main(m *testing.M) (code int) {
	_ = flag.Set("test.parallel", "12") // known since testing.Init
	code = m.Run()
	if left := leftovers(); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "goroutines outlive the tests:\n\n"+left)
		code = 1
	}
	return code
}

// leftovers are the stacks of goroutines that have not ended within a grace period.
func leftovers() (left string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = strangers(); left == "" {
			return ""
		}
	}
	return left
}

// strangers are the stacks of all goroutines but this one and those that live as long as the process.
func strangers() string {
	stacks := make([]byte, 1<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for _, stack := range strings.Split(string(stacks), "\n\n")[1:] {
		if !strings.Contains(stack, "fasthttp.updateServerDate") && !strings.Contains(stack, "os/signal.") {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
