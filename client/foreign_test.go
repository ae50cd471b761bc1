//go:build interop

package client_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio/client"
)

// These tests are for servers that are not ours, in interop/servers: npm's engine.io 6 by Node, and
// python-engineio of Debian on aiohttp. They fail where those are missing; `make preflight` installs them.
// NODE and PYTHON name the programs.

// kind is a foreign server, and the revision it is spoken to in.
type kind struct {
	name     string
	program  []string
	revision client.Revision
}

var (
	node   = cmp.Or(os.Getenv("NODE"), "node")
	python = cmp.Or(os.Getenv("PYTHON"), "/usr/bin/python3")
)

var kinds = []kind{
	{"node 4", []string{node, "engineio6.js"}, client.V4},
	{"node 3", []string{node, "engineio6.js", "--eio3"}, client.V3},
	{"python 4", []string{python, "aiohttp_echo.py"}, client.V4},
}

func (k kind) python() bool { return strings.HasPrefix(k.name, "python") }

// modes are the ways to connect to it.
func (k kind) modes() []mode {
	return []mode{
		{"polling", polling, k.revision, client.Polling},
		{"websocket", websocket, k.revision, client.WebSocket},
		{"upgrade", both, k.revision, client.WebSocket},
	}
}

// withForeign runs f for each foreign server, which it starts with args.
func withForeign(t *testing.T, f func(t *testing.T, k kind, p *process), args ...string) {
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) { f(t, k, k.start(t, args...)) })
	}
}

// inEachForeignMode runs f for each foreign server and each way to connect to it.
func inEachForeignMode(t *testing.T, f func(t *testing.T, k kind, m mode, p *process), args ...string) {
	withForeign(t, func(t *testing.T, k kind, p *process) {
		for _, m := range k.modes() {
			t.Run(m.name, func(t *testing.T) { f(t, k, m, p) })
		}
	}, args...)
}

// process is a foreign server that runs.
type process struct {
	*exec.Cmd
	addr   string
	stderr bytes.Buffer
	gone   chan struct{} // closed when it has ended
	once   sync.Once
}

func (p *process) url() string { return "http://" + p.addr }

// start starts the server and waits until it listens. It ends with the test, and by --stdin with this
// process, should that crash.
func (k kind) start(t testing.TB, args ...string) *process {
	t.Helper()
	p := &process{Cmd: exec.Command(k.program[0], append(append(k.program[1:len(k.program):len(k.program)], "--stdin"), args...)...)}
	p.Dir = "../interop/servers"
	p.Stderr = &p.stderr
	stdin, err := p.StdinPipe()
	must(t, err)
	stdout, err := p.StdoutPipe()
	must(t, err)
	if err := p.Start(); err != nil {
		t.Fatalf("%s: %v", k.name, err)
	}
	p.gone = make(chan struct{})
	said := make(chan string, 1)
	go func() {
		defer close(p.gone)
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if addr, ok := strings.CutPrefix(lines.Text(), "listening on "); ok {
				said <- addr
			}
		}
		_ = p.Wait()
	}()
	t.Cleanup(func() {
		p.kill()
		_ = stdin.Close()
		if t.Failed() {
			t.Logf("stderr of %s:\n%s", k.name, p.stderr.String())
		}
	})
	select {
	case p.addr = <-said:
	case <-p.gone:
		t.Fatalf("%s does not start; are its packages installed?\n%s", k.name, p.stderr.String())
	case <-time.After(patience):
		t.Fatalf("%s does not say where it listens", k.name)
	}
	return p
}

// kill ends the server as kill -9 does, also one that is stopped.
func (p *process) kill() {
	p.once.Do(func() { _ = p.Process.Kill() })
	<-p.gone
}

func TestForeignMessagesComeBack(t *testing.T) {
	every := make([]byte, 256)
	for i := range every {
		every[i] = byte(i)
	}
	messages := []client.Message{
		{Data: []byte("text")},
		{Data: []byte("")},
		{Data: []byte(" ")},
		{Data: []byte("\n\r\t\x00")},
		{Data: []byte("unicode € é ñ 漢字 עברית \u2028 \ufeff")},
		{Data: []byte("astral 😀𝄞👩‍👩‍👧‍👦🏳️‍🌈")},
		{Data: []byte(`"quoted"`)}, {Data: []byte(`{"a": 1}`)}, {Data: []byte("null")}, {Data: []byte("1.50")},
		{Data: []byte("4")}, {Data: []byte("2probe")}, {Data: []byte("bAQIDBA==")}, {Data: []byte("3:4hi")},
		{Data: every, Binary: true},
		{Data: []byte{}, Binary: true},
		{Data: []byte{4}, Binary: true},
		{Data: []byte(strings.Repeat("x", 300_000))},
		{Data: []byte(strings.Repeat("😀", 50_000))},
		{Data: bytes.Repeat([]byte{0xfe}, 300_001), Binary: true},
	}
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		c := dial(t, p.url(), m.options())
		for round := range 3 { // the third in one go
			if round == 1 {
				upgraded(t, c, m.final)
			}
			for i, message := range messages {
				must(t, c.Send(context.Background(), message))
				if round < 2 {
					same(t, i, read(t, c), message)
				}
			}
		}
		for i, message := range messages {
			same(t, i, read(t, c), message)
		}
		must(t, c.Close())
		wantReason(t, c, client.ReasonClientClose)
	})
}

func same(t testing.TB, i int, got, want client.Message) {
	t.Helper()
	if got.Binary != want.Binary || !bytes.Equal(got.Data, want.Data) {
		t.Fatalf("message %d of %d bytes is %.40q (binary %t), want %.40q of %d", i, len(got.Data), got.Data, got.Binary, want.Data, len(want.Data))
	}
}

// numbered is message i of a burst.
func numbered(i int) client.Message {
	if i%3 == 2 {
		return client.Message{Data: binary.BigEndian.AppendUint32(bytes.Repeat([]byte{0x1e}, i%61), uint32(i)), Binary: true}
	}
	return client.Message{Data: fmt.Appendf(nil, "message %d €😀 %s", i, strings.Repeat("x", i%97))}
}

// The upgrade is in the middle for certain: the first quarter is out by long-polling before a WebSocket can
// be had, and the last quarter begins after the move to it. What is between goes out meanwhile.
func TestForeignBursts(t *testing.T) {
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		gate := make(chan struct{})
		o := m.options()
		o.DialContext = gated(gate)
		o.MaxQueuedBytes = 16 << 10 // some hundred messages: the sender cannot run ahead
		if m.name != "upgrade" {
			close(gate)
		}
		start := time.Now()
		c := dial(t, p.url(), o)
		ctx := background(t)
		failed := make(chan error, 1)
		go func() {
			failed <- func() error {
				for i := range burst {
					if i == burst/4 && m.name == "upgrade" {
						if err := c.Flush(ctx); err != nil || c.Transport() != client.Polling {
							return fmt.Errorf("before the upgrade: %v, on %v", err, c.Transport())
						}
						close(gate)
					}
					if i == burst/4*3 {
						if now, err := c.AwaitUpgrade(ctx); err != nil || now != m.final || c.Transport() != m.final {
							return fmt.Errorf("after the upgrade: %v, on %v", err, now)
						}
					}
					if err := c.Send(context.Background(), numbered(i)); err != nil {
						return fmt.Errorf("message %d: %w", i, err)
					}
				}
				return nil
			}()
		}()
		for i := range burst {
			m, err := c.Read(ctx)
			if err != nil {
				select {
				case err = <-failed:
				default:
				}
				t.Fatalf("echo %d: %v", i, err)
			}
			same(t, i, m, numbered(i))
		}
		must(t, <-failed)
		if now := c.Transport(); now != m.final {
			t.Errorf("ends on %v", now)
		}
		t.Logf("%d messages and their echoes in %v", burst, time.Since(start).Round(time.Millisecond))
		must(t, c.Close())
	})
}

// gated is a DialContext that holds back WebSocket handshakes until gate is closed.
func gated(gate <-chan struct{}) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		return &gatedConn{Conn: c, gate: gate}, err
	}
}

type gatedConn struct {
	net.Conn
	gate <-chan struct{}
}

func (c *gatedConn) Write(b []byte) (int, error) {
	if bytes.HasPrefix(b, []byte("GET ")) && bytes.Contains(b, []byte("transport=websocket")) {
		select {
		case <-c.gate:
		case <-time.After(patience):
		}
	}
	return c.Conn.Write(b)
}

// python-engineio as it comes drops a POST of more than 16 packets, and answers OK to it. Small messages
// get through all the same. Those that do not arrive in one piece are its own affair: it reads the first.
func TestForeignPythonAsItIs(t *testing.T) {
	k := kinds[2]
	p := k.start(t, "--as-it-is")
	for _, m := range k.modes() {
		t.Run(m.name, func(t *testing.T) {
			const n = 2000
			c := dial(t, p.url(), m.options())
			for i := range n {
				must(t, c.SendText(background(t), fmt.Sprint(i)))
			}
			for i := range n {
				wantText(t, c, fmt.Sprint(i))
			}
			upgraded(t, c, m.final)
			must(t, c.Close())
		})
	}
	p.kill() // and all it has said is there
	if strings.Contains(p.stderr.String(), "Too many packets") {
		t.Error("it dropped a POST")
	}
}
