//go:build interop

package client_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// examples/probe is what interoperability checks start: what it prints last and its status are its contract.
func TestForeignProbe(t *testing.T) {
	probe := buildProbe(t)
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		names := make([]string, len(m.transports))
		for i, transport := range m.transports {
			names[i] = transport.String()
		}
		base := []string{"-url", p.url() + "/engine.io/", "-protocol", itoa(int(m.revision)), "-transports", strings.Join(names, ",")}
		for _, test := range []struct {
			args     []string
			received int
		}{
			{nil, 301},
			{[]string{"-count", "1000", "-size", "200000"}, 1002},
			{[]string{"-count", "0"}, 1},
			{[]string{"-count", "5", "-hold", "50ms"}, 6},
		} {
			status, last, stderr := run(t, probe, append(base, test.args...)...)
			want := fmt.Sprintf("ok transport=%v received=%d", m.final, test.received)
			if status != 0 || last != want {
				t.Errorf("%q: status %d, last line %q, want %q\n%s", test.args, status, last, want, stderr)
			}
		}
		base[1] += "?reject=1"
		if status, last, stderr := run(t, probe, base...); status != 1 || !strings.Contains(last+stderr, "not you") {
			t.Errorf("refused: status %d, %q, %q", status, last, stderr)
		}
	})
}

func TestForeignProbeAgainstPythonAsItIs(t *testing.T) {
	probe := buildProbe(t)
	p := kinds[2].start(t, "--as-it-is")
	for _, transports := range []string{"polling", "websocket", "polling,websocket"} {
		status, last, stderr := run(t, probe, "-url", p.url()+"/engine.io/", "-transports", transports)
		if status != 0 || !strings.HasPrefix(last, "ok ") {
			t.Errorf("%s: status %d, last line %q\n%s", transports, status, last, stderr)
		}
	}
}

func TestForeignProbeFindsCorruption(t *testing.T) {
	probe := buildProbe(t)
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		for _, count := range []string{"300", "20"} { // the wrong one is in the middle, or the last: bye
			status, last, stderr := run(t, probe, "-url", p.url(), "-protocol", itoa(int(m.revision)),
				"-transports", m.transports[len(m.transports)-1].String(), "-count", count)
			if status != 1 || strings.HasPrefix(last, "ok") || !strings.Contains(last+stderr, "echo 20 is") {
				t.Errorf("status %d, last line %q\n%s", status, last, stderr)
			}
		}
	}, "--corrupt", "20")
}

func buildProbe(t *testing.T) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "probe")
	build := exec.Command("go", "build", "-race", "-o", path, "./examples/probe")
	build.Dir = ".."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// run returns the exit status and the last line of stdout.
func run(t *testing.T, program string, args ...string) (status int, last, stderr string) {
	t.Helper()
	var out, fault bytes.Buffer
	cmd := exec.CommandContext(background(t), program, args...)
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	cmd.Stdout, cmd.Stderr = &out, &fault
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	return cmd.ProcessState.ExitCode(), lines[len(lines)-1], fault.String()
}
