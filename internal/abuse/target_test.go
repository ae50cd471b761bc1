package abuse

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// A target is the server under attack, seen from outside.
type target struct {
	spec
	addr   string
	struck int // how often an attack was made, where that is not the n it was asked for

	process *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Scanner
	said    bytes.Buffer // what it wrote to stderr
}

// launch starts a server in a process of its own, which is this binary once more. When the test ends it must
// end in good order: neither a panic in its log nor a data race.
func launch(t *testing.T, s spec) *target {
	t.Helper()
	x := &target{spec: s, process: exec.Command(os.Args[0])}
	x.process.Env = append(os.Environ(), specVariable+"="+s.String(), "GOMAXPROCS=2")
	x.process.Stderr = &x.said
	var err error
	if x.in, err = x.process.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := x.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := x.process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.stop(t) })
	x.out = bufio.NewScanner(out)
	if !x.out.Scan() {
		t.Fatal("the server does not start")
	}
	x.addr = x.out.Text()
	return x
}

func (x *target) stop(t *testing.T) {
	_ = x.in.Close()
	if err := x.process.Wait(); err != nil || x.said.Len() > 0 {
		t.Errorf("the server ends with %v and says:\n%.10000s", err, &x.said)
	}
}

// ask gives a command and returns the answer.
func (x *target) ask(t testing.TB, command string) (f figures) {
	t.Helper()
	x.tell(t, command)
	if !x.out.Scan() {
		t.Fatal("the server has gone")
	}
	if err := json.Unmarshal(x.out.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	return f
}

func (x *target) tell(t testing.TB, command string) {
	t.Helper()
	if _, err := fmt.Fprintln(x.in, command); err != nil {
		t.Fatal(err)
	}
}

func (x *target) counts(t testing.TB) figures { t.Helper(); return x.ask(t, commandCount) }

// http is the target for clients of enginetest. It is a new one each time, since it remembers every connection.
func (x *target) http() *enginetest.Server { return &enginetest.Server{Addr: x.addr} }

// awaited waits until f holds for the figures of x.
func (x *target) awaited(t testing.TB, command, what string, f func(figures) bool) figures {
	t.Helper()
	for deadline := time.Now().Add(enginetest.Patience); ; time.Sleep(5 * time.Millisecond) {
		now := x.ask(t, command)
		if f(now) {
			return now
		}
		if time.Now().After(deadline) {
			t.Fatalf("never: %s; %+v", what, now)
		}
	}
}

// ended waits until n more sessions than before have ended for a reason.
func (x *target) ended(t testing.TB, before figures, reason string, n int) {
	t.Helper()
	after := x.awaited(t, commandCount, fmt.Sprintf("%d ends by %s, since %v", n, reason, before.Ends), func(f figures) bool {
		return f.Ends[reason] >= before.Ends[reason]+n
	})
	if got := after.Ends[reason] - before.Ends[reason]; got != n {
		t.Errorf("%d sessions ended by %s, want %d", got, reason, n)
	}
}

// peak is the most memory that the process has had, in bytes, since the last call of forget.
func (x *target) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(x.proc("status"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, _ := strings.Cut(string(status), "VmHWM:")
	n, err := strconv.Atoi(strings.Fields(line)[0])
	if err != nil {
		t.Fatal(err)
	}
	return n << 10
}

// forget lets peak begin anew.
func (x *target) forget(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(x.proc("clear_refs"), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
}

func (x *target) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", x.process.Process.Pid, file)
}
