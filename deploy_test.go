package engineio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A deploy, with real processes: the test binary runs itself as the server that is replaced.

const (
	deployEnv   = "ENGINEIO_DEPLOY" // names the stack that a server process serves
	exitTimeout = 30 * time.Second  // from SIGTERM to the exit
)

// crowdOfADeploy is how many sessions there are; the race detector makes each several times as dear.
func crowdOfADeploy() int {
	if raceEnabled {
		return 1500
	}
	return 5000
}

func init() {
	if on := os.Getenv(deployEnv); on != "" {
		os.Exit(newDeployed().run(on))
	}
}

// A deployed is the server process. It sends numbers to all sessions without pause, from several goroutines.
type deployed struct {
	srv  *engineio.Server
	stop atomic.Bool

	mu       sync.RWMutex
	counters []*counter
}

// A counter sends the numbers of one session, in order.
type counter struct {
	mu       sync.Mutex
	s        *engineio.Session
	accepted int // by Send
}

func newDeployed() *deployed {
	d := new(deployed)
	d.srv = engineio.New(engineio.Config{
		PingInterval: 5 * time.Minute, CloseTimeout: exitTimeout, MaxQueuedBytes: 1 << 10, Logger: slog.New(slog.DiscardHandler),
		OnConnect: func(s *engineio.Session) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.counters = append(d.counters, &counter{s: s})
		},
	})
	return d
}

// orphanTime is how long the process waits for its SIGTERM, far beyond any test's length.
const orphanTime = 5 * time.Minute

// run is the life of the process, and its exit status.
func (d *deployed) run(on string) int {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return 2
	}
	serve, shutdown := d.stack(on)
	go func() { _ = serve(smallBuffers{ln}) }()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	fmt.Println("listening", ln.Addr())

	_, _ = io.Copy(io.Discard, os.Stdin) // its end is the word to begin
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() { d.send(i) })
	}
	select {
	case <-signals:
	case <-time.After(orphanTime):
		return 5 // whoever started this process has gone without a word
	}
	d.stop.Store(true)
	senders.Wait()
	d.report(os.Stdout)
	ctx, cancel := context.WithTimeout(context.Background(), exitTimeout)
	defer cancel()
	if err := d.srv.Shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "engine:", err)
		return 3
	}
	if err := shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "HTTP server:", err)
		return 4
	}
	return 0
}

func (d *deployed) stack(on string) (serve func(net.Listener) error, shutdown func(context.Context) error) {
	if on == onFiber.name {
		app := fiber.New(fiber.Config{DisableStartupMessage: true})
		app.Use(eiofiber.New(d.srv))
		app.Get(healthPath, eiofiber.Health(d.srv))
		return app.Listener, app.ShutdownWithContext
	}
	server := &fasthttp.Server{Handler: d.srv.Handler(d.srv.ServeHealth)}
	return server.Serve, server.ShutdownWithContext
}

// smallBuffers keep the kernel from taking in what the clients do not read.
type smallBuffers struct{ net.Listener }

// Accept makes a connection's send buffer small.
func (l smallBuffers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(8 << 10)
	}
	return c, err
}

// send sends to one session after the other. It begins somewhere else than the other goroutines.
func (d *deployed) send(from int) {
	for !d.stop.Load() {
		d.mu.RLock()
		counters := d.counters
		d.mu.RUnlock()
		sent := 0
		for i := range counters {
			if counters[(i+from*len(counters)/4)%len(counters)].next() {
				sent++
			}
			if d.stop.Load() {
				return
			}
		}
		if sent < len(counters)/2 {
			time.Sleep(time.Millisecond) // most clients have as much as they can take: let them
		}
	}
}

// next sends the next number, unless the client has as much as it can take.
func (c *counter) next() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.s.SendText(strconv.Itoa(c.accepted+1)) != nil {
		return false
	}
	c.accepted++
	return true
}

// report writes what was accepted for each session.
func (d *deployed) report(to io.Writer) {
	b := bufio.NewWriter(to)
	d.mu.RLock()
	for _, c := range d.counters {
		_, _ = fmt.Fprintln(b, "accepted", c.s.ID(), c.accepted)
	}
	d.mu.RUnlock()
	_, _ = fmt.Fprintln(b, "reported")
	_ = b.Flush()
}

// A process is a server, seen from outside.
type process struct {
	*exec.Cmd
	out  *bufio.Scanner
	http *enginetest.Server
}

// startProcess runs a server, which says first where it listens.
func startProcess(t *testing.T, cmd *exec.Cmd) *process {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Cmd: cmd, out: bufio.NewScanner(out)}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if !p.out.Scan() {
		t.Fatal("the server says nothing")
	}
	words := strings.Fields(p.out.Text())
	p.http = &enginetest.Server{Addr: words[len(words)-1]}
	return p
}

// exits waits for the process, and returns how long that took since a moment.
func (p *process) exits(t *testing.T, since time.Time) time.Duration {
	t.Helper()
	over := time.AfterFunc(exitTimeout+5*time.Second, func() { _ = p.Process.Kill() })
	defer over.Stop()
	for p.out.Scan() { // until the pipe ends
	}
	if err := p.Wait(); err != nil {
		t.Errorf("the server ends with %v", err)
	}
	return time.Since(since)
}

// A reader is a client that counts.
type reader struct {
	c    enginetest.Client
	got  atomic.Int64 // the last number
	done chan error   // nil: the server has said goodbye
}

// setups are those of a crowd: half on long-polling, half on WebSocket, some of which were upgraded.
func deploySetup(i int) enginetest.Setup {
	setup := enginetest.Setup{Way: enginetest.ByPolling, Revision: enginetest.Revisions[i/2%2]}
	if i%2 > 0 {
		setup.Way = enginetest.ByWebSocket
		if i%20 > 16 {
			setup.Way = enginetest.ByUpgrade
		}
	}
	return setup
}

// connectCrowd connects n readers, which read from then on.
func connectCrowd(t *testing.T, server *enginetest.Server, n int) []*reader {
	t.Helper()
	readers := make([]*reader, n)
	var next atomic.Int64
	var dialers sync.WaitGroup
	for range 32 {
		dialers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && !t.Failed(); i = int(next.Add(1)) - 1 {
				c, err := enginetest.Dial(server, deploySetup(i))
				if err != nil {
					t.Errorf("client %d: %v", i, err)
					return
				}
				readers[i] = &reader{c: c, done: make(chan error, 1)}
				readers[i].patient()
				go readers[i].read()
			}
		})
	}
	dialers.Wait()
	t.Cleanup(func() {
		for _, r := range readers {
			if r != nil {
				r.c.Close()
			}
		}
	})
	if t.Failed() {
		t.FailNow()
	}
	return readers
}

// patient lets the connection live longer than that of other tests, with little room for what is not read.
func (r *reader) patient() {
	var c net.Conn
	switch client := r.c.(type) {
	case *enginetest.WebSocket:
		c = client.Conn.NetConn()
	case *enginetest.Polling:
		c, _ = client.Get.Conn()
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(8 << 10)
		_ = tcp.SetDeadline(time.Now().Add(3 * enginetest.Patience))
	}
}

// read reads to the server's goodbye. Every number must be one more than the last.
func (r *reader) read() {
	for {
		p, err := enginetest.Next(r.c)
		var closed *websocket.CloseError
		switch {
		case errors.As(err, &closed) && closed.Code == 1001, err == nil && p.Type == codec.Close:
			r.done <- nil
			return
		case err != nil:
			r.done <- err
			return
		}
		n, err := strconv.ParseInt(string(p.Data), 10, 64)
		if err != nil || n != r.got.Load()+1 {
			r.done <- fmt.Errorf("%q comes after %d", p.Data, r.got.Load())
			return
		}
		r.got.Store(n)
	}
}

// SIGTERM in the middle of traffic: what Send has accepted before it arrives, in order and once.
func TestDeploy(t *testing.T) {
	for _, on := range stacks {
		t.Run(on.name, func(t *testing.T) { deploy(t, on.name) })
	}
}

func deploy(t *testing.T, on string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), deployEnv+"="+on)
	cmd.Stderr = os.Stderr
	begin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	p := startProcess(t, cmd)
	start := time.Now()
	readers := connectCrowd(t, p.http, crowdOfADeploy())
	late, err := p.http.DialPolling(enginetest.Setup{}) // polls when it has seen what it wants to
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	connected := time.Since(start)
	_ = begin.Close()
	enough := int64(crowdOfADeploy() / 100)
	eventually(t, "everybody has got some messages", func() bool {
		for _, r := range readers {
			if r.got.Load() < enough && len(r.done) == 0 {
				return false
			}
		}
		return true
	})
	term := time.Now()
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	accepted := p.accepted()
	refusedDuringDeploy(t, p.http)
	readers = append(readers, &reader{c: late, done: make(chan error, 1)})
	go readers[len(readers)-1].read()
	messages := checkReaders(t, readers, accepted)
	took := p.exits(t, term)
	if took > exitTimeout {
		t.Errorf("the exit took %v", took)
	}
	t.Logf("%s: %d sessions, %d messages accepted before the signal; "+
		"connected in %.1f s, %.1f s of traffic, %.2f s from the signal to the exit",
		on, len(readers), messages, connected.Seconds(), (term.Sub(start) - connected).Seconds(), took.Seconds())
}

// accepted is what the server reports.
func (p *process) accepted() map[string]int64 {
	numbers := make(map[string]int64)
	for p.out.Scan() {
		words := strings.Fields(p.out.Text())
		if len(words) != 3 {
			break
		}
		numbers[words[1]], _ = strconv.ParseInt(words[2], 10, 64)
	}
	return numbers
}

// refusedDuringDeploy waits until the server is not healthy, and checks that it lets nobody in then.
func refusedDuringDeploy(t *testing.T, server *enginetest.Server) {
	t.Helper()
	e := &engine{http: server}
	draining(t, e)
	for _, way := range []enginetest.Way{enginetest.ByPolling, enginetest.ByWebSocket} {
		r := handshake(t, e, enginetest.Setup{Way: way})
		if r.Status != 503 || r.Header.Get("Retry-After") == "" {
			t.Errorf("a handshake by %s is answered %d %v", way, r.Status, r.Header)
		}
	}
}

// checkReaders waits for all goodbyes and compares, and returns how many messages there were.
func checkReaders(t *testing.T, readers []*reader, accepted map[string]int64) (messages int64) {
	t.Helper()
	timeout := time.After(exitTimeout + 5*time.Second)
	if len(accepted) != len(readers) {
		t.Errorf("the server reports %d sessions, there are %d", len(accepted), len(readers))
	}
	failed := 0
	for i, r := range readers {
		err := errors.New("no goodbye")
		select {
		case err = <-r.done:
		case <-timeout:
		}
		sid := r.c.Handshake().SID
		want, known := accepted[sid]
		if err != nil || !known || r.got.Load() != want {
			if failed++; failed <= 10 {
				t.Errorf("client %d (%T): got %d messages of %d, %v", i, r.c, r.got.Load(), want, err)
			}
		}
		messages += want
	}
	if failed > 0 {
		t.Errorf("%d clients have not got everything", failed)
	}
	return messages
}

// The HTTP server's own shutdown, with nobody to call the engine's, ends with many sessions open.
func TestShutdownOfTheHTTPServerWithManySessions(t *testing.T) {
	const each = 125 // of both ways and revisions
	for _, on := range stacks {
		t.Run(on.name, func(t *testing.T) {
			e := serve(t, on, engineio.Config{CloseTimeout: 2 * time.Second})
			for range each {
				for _, revision := range enginetest.Revisions {
					e.webSocket(t, enginetest.Setup{Revision: revision})
					p := e.polling(t, enginetest.Setup{Revision: revision})
					startPoll(t, p)
				}
			}
			eventually(t, "all polls are parked", func() bool {
				for s := range e.Sessions() {
					if s.Transport() == engineio.Polling && !engineio.Parked(s) {
						return false
					}
				}
				return true
			})
			start, down := time.Now(), make(chan error, 1)
			go func() { down <- e.http.Shutdown() }()
			select {
			case err := <-down:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(exitTimeout):
				t.Fatal("Shutdown hangs")
			}
			took := time.Since(start)
			eventually(t, "no sessions", func() bool { return e.Places() == 0 })
			for range 4 * each {
				e.ended(t, engineio.ReasonShutdown)
			}
			t.Logf("%s: %d sessions, %.2f s", on.name, 4*each, took.Seconds())
		})
	}
}

// The example's server ends by SIGTERM, with sessions of all kinds that do not care.
func TestExampleEndsBySIGTERM(t *testing.T) {
	t.Parallel()
	echo := filepath.Join(t.TempDir(), "echo")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", echo,
		"./examples/echo").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, on := range stacks {
		for _, tuned := range []string{"-tuned=false", "-tuned=true"} {
			t.Run(on.name+tuned, func(t *testing.T) {
				t.Parallel()
				p := startProcess(t, exec.Command(echo, "-addr", "127.0.0.1:0", "-stack", on.name, tuned))
				for _, way := range enginetest.Ways {
					for _, revision := range enginetest.Revisions {
						c := enginetest.Connect(t, p.http, enginetest.Setup{Way: way, Revision: revision})
						alive(t, c)
						if poll, ok := c.(*enginetest.Polling); ok && revision == engineio.V4 {
							startPoll(t, poll)
						}
					}
				}
				probe(t, enginetest.Connect(t, p.http, enginetest.Setup{}).(*enginetest.Polling))
				since := time.Now()
				if err := p.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
				t.Logf("%s %s: %.2f s", on.name, tuned, p.exits(t, since).Seconds())
			})
		}
	}
}
