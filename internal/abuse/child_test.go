package abuse

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/ws"
)

// figures are what a server says about itself.
type figures struct {
	Heap       uint64         // bytes in use after a collection; 0 where it was not asked for
	Goroutines int            // of the process
	Files      int            // open descriptors
	Len        int            // sessions
	Ends       map[string]int // OnDisconnect so far, by reason
	Refused    map[string]int // requests refused so far, by status and code: "400/1"
	Messages   int            // OnMessage so far
}

// The commands of a server, one in a line. It answers the first two with its figures.
const (
	commandCount   = "count"
	commandHeap    = "heap"    // count, after a collection
	commandRelease = "release" // lets a message "hold" go on
	commandClose   = "close"   // closes all sessions
)

// A child is the server in its process.
type child struct {
	*engineio.Server
	gate chan struct{} // passed by messages "hold"

	mu     sync.Mutex
	counts figures
}

// serveSpec is the life of the process: it prints its address, then answers commands until there are no more.
func serveSpec(text string) {
	var s spec
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		fail(err)
	}
	if s.Files != 0 {
		limitFiles(s.Files)
	}
	crowdOnce(s.Goroutines)
	if s.Deflate {
		deflateOnce()
	}
	c := &child{gate: make(chan struct{}), counts: figures{Ends: map[string]int{}, Refused: map[string]int{}}}
	config := s.config()
	config.Logger = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	config.OnMessage = c.echo
	config.OnDisconnect = func(_ *engineio.Session, why *engineio.CloseError) { c.count(c.counts.Ends, why.Reason.String()) }
	config.OnRequestRefused = func(_ *fasthttp.RequestCtx, _ netip.AddrPort, e *engineio.RequestError) {
		c.count(c.counts.Refused, strconv.Itoa(e.Status)+"/"+strconv.Itoa(e.Code))
	}
	c.Server = engineio.New(config)
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fail(err)
	}
	serve := s.fasthttp(c.Server)
	if s.Fiber {
		serve = s.fiber(c.Server)
	}
	go func() { fail(serve(c.Listener(ln))) }()
	fmt.Println(ln.Addr())
	c.obey()
}

// crowdOnce has n goroutines at once.
func crowdOnce(n int) {
	var all sync.WaitGroup
	all.Add(n)
	for range n {
		go func() {
			all.Done()
			all.Wait()
		}()
	}
	all.Wait()
}

// deflateOnce has all compressors made, one a processor and 0.6 MB each: how many meet is different each time too.
func deflateOnce() {
	var all sync.WaitGroup
	long := make([]byte, 1<<20)
	for range 10 * runtime.GOMAXPROCS(0) {
		all.Go(func() { ws.AppendDeflated(nil, ws.Binary, long) })
	}
	all.Wait()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func (s spec) fasthttp(srv *engineio.Server) func(net.Listener) error {
	server := &fasthttp.Server{
		Handler: srv.Handler(nil), ReadBufferSize: readBufferSize, ReadTimeout: s.ReadTimeout,
		StreamRequestBody: s.StreamRequestBody, MaxRequestBodySize: s.MaxRequestBodySize,
	}
	s.prepare(server)
	if s.Tuned {
		engineio.Tune(server)
	}
	return server.Serve
}

func (s spec) fiber(srv *engineio.Server) func(net.Listener) error {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true, ReadBufferSize: readBufferSize, ReadTimeout: s.ReadTimeout,
		StreamRequestBody: s.StreamRequestBody, BodyLimit: s.MaxRequestBodySize,
	})
	s.prepare(app.Server())
	if s.Tuned {
		eiofiber.Tune(app)
	}
	app.Use(eiofiber.New(srv))
	return app.Listener
}

// prepare keeps the log for what should not happen, and idle workers for no longer than a test likes to wait.
// Normal clients may pause for longer than a request may take.
func (s spec) prepare(server *fasthttp.Server) {
	if s.ReadTimeout != 0 {
		server.IdleTimeout = time.Minute
	}
	server.Logger = silent{}
	server.MaxIdleWorkerDuration = 50 * time.Millisecond
}

type silent struct{}

func (silent) Printf(string, ...any) {}

func (c *child) echo(s *engineio.Session, m engineio.Message) {
	c.mu.Lock()
	c.counts.Messages++
	c.mu.Unlock()
	if string(m.Data) == "hold" {
		<-c.gate
	}
	for {
		err := s.Send(m, 0)
		if !errors.Is(err, engineio.ErrQueueFull) {
			return
		}
		if s.Flush(s.Context()) != nil {
			return
		}
	}
}

func (c *child) count(in map[string]int, what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	in[what]++
}

// obey answers commands until the other side is gone. The process ends with the race detector's code if that
// has something to say.
func (c *child) obey() {
	out := json.NewEncoder(os.Stdout)
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		switch in.Text() {
		case commandRelease:
			c.gate <- struct{}{}
		case commandClose:
			for s := range c.Sessions() {
				s.CloseNow()
			}
		case commandCount:
			c.say(out, 0)
		case commandHeap:
			debug.FreeOSMemory() // two collections empty a sync.Pool
			debug.FreeOSMemory()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			c.say(out, m.HeapAlloc)
		}
	}
	now, cancel := context.WithCancel(context.Background())
	cancel()
	_ = c.Shutdown(now) // drops what nobody will fetch
	os.Exit(0)
}

func (c *child) say(out *json.Encoder, heap uint64) {
	files, err := os.ReadDir("/proc/self/fd")
	for errors.Is(err, syscall.EMFILE) { // an attack has them all: a count is due when it has ended
		time.Sleep(10 * time.Millisecond)
		files, err = os.ReadDir("/proc/self/fd")
	}
	if err != nil {
		fail(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &c.counts
	f.Heap, f.Goroutines, f.Files, f.Len = heap, runtime.NumGoroutine(), len(files), c.Len()
	if err := out.Encode(f); err != nil {
		fail(err)
	}
}
