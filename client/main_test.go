package client_test

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// TestMain fails when goroutines outlive the tests. It gives the process a proxy before anybody has
// asked the environment for one, see TestProxyOfTheEnvironment.
func TestMain(m *testing.M) {
	stop := startEnvironmentProxy()
	code := m.Run()
	stop()
	if left := leftovers(); code == 0 && left != "" {
		fmt.Fprintln(os.Stderr, "goroutines outlive the tests:\n\n"+left)
		code = 1
	}
	os.Exit(code)
}

// leftovers are the stacks of goroutines that have not ended within a grace period.
func leftovers() (left string) {
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if left = strangers(""); left == "" {
			return ""
		}
	}
	return left
}

// strangers are the stacks of all goroutines that mention what, but this one and those that live as
// long as the process.
func strangers(what string) string {
	stacks := make([]byte, 4<<20)
	stacks = stacks[:runtime.Stack(stacks, true)]
	var left []string
	for _, stack := range strings.Split(string(stacks), "\n\n")[1:] {
		lasting := strings.Contains(stack, "fasthttp.updateServerDate") || strings.Contains(stack, "os/signal.")
		if strings.Contains(stack, what) && !lasting {
			left = append(left, stack)
		}
	}
	return strings.Join(left, "\n\n")
}
