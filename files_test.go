//go:build unix

package engineio_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// The servers of the README survive 400 connections where 200 files are all there is, and serve again.
func TestReadmeServersOutlastAShortageOfFiles(t *testing.T) {
	text, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	servers := 0
	for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
		code := m[1]
		if !strings.Contains(code, `":3000"`) {
			continue
		}
		if !strings.HasPrefix(code, "package main") {
			code = strings.Replace(fragment, "%", code, 1)
		}
		servers++
		t.Run(fmt.Sprint("server ", servers), func(t *testing.T) {
			p := startWithFewFiles(t, code)
			p.exhaust(t)
			p.serves(t)
			p.exhaust(t) // it is no matter of once
			p.serves(t)
		})
	}
	if servers != 2 {
		t.Errorf("the README has %d servers", servers)
	}
}

// A program is a server in a process that may have 200 files.
type program struct {
	addr   string
	path   string // of the engine
	output *lockedBuffer
	ended  chan struct{}
}

// lockedBuffer is what a process has written.
type lockedBuffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.String()
}

func startWithFewFiles(t *testing.T, code string) *program {
	t.Helper()
	free, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &program{addr: free.Addr().String(), path: "/engine.io/", output: new(lockedBuffer), ended: make(chan struct{})}
	if strings.Contains(code, "socketio.New") {
		p.path = "/socket.io/"
	}
	_ = free.Close()
	dir := t.TempDir()
	source, binary := filepath.Join(dir, "main.go"), filepath.Join(dir, "server")
	if err := os.WriteFile(source, []byte(strings.ReplaceAll(code, `":3000"`, `"`+p.addr+`"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", binary, source)
	build.Dir = moduleOf(code)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	ctx, stop := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, "sh", "-c", `ulimit -n 200; exec "$0"`, binary)
	cmd.Stdout, cmd.Stderr = p.output, p.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { stop(); <-p.ended })
	eventually(t, "the server listens", func() bool {
		c, err := net.Dial("tcp4", p.addr)
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
	return p
}

// exhaust has 400 connections come, sees the server run out of files, and has them go.
func (p *program) exhaust(t *testing.T) {
	t.Helper()
	var all []net.Conn
	for range 400 {
		c, err := net.DialTimeout("tcp4", p.addr, enginetest.Patience)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, c)
	}
	eventually(t, "it says that it has run out of files", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the server has ended:\n%s", p.output)
		default:
		}
		return strings.Contains(p.output.String(), "raise the limit of open files")
	})
	for _, c := range all {
		_ = c.Close()
	}
}

// serves checks that a handshake is answered within a second, and what a busy machine takes.
func (p *program) serves(t *testing.T) {
	t.Helper()
	start := time.Now()
	client := &http.Client{Timeout: enginetest.Patience, Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Get("http://" + p.addr + p.path + "?EIO=4&transport=polling")
	if err != nil {
		t.Fatalf("%v\n%s", err, p.output)
	}
	_ = r.Body.Close()
	if r.StatusCode != 200 {
		t.Errorf("answered %d", r.StatusCode)
	}
	t.Logf("serves again after %v", time.Since(start))
}
