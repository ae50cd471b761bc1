package chaos_test

import (
	"crypto/tls"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	eiofiber "github.com/fasteio/engineio/fiber"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A flavour is what one server differs in from the others.
type flavour struct {
	name                    string
	fiber, tuned            bool
	tls, deflate, streaming bool
	queue                   int // MaxQueuedBytes
	overflow                engineio.Overflow
	quiet                   bool // no broadcasts
	narrow                  bool // sockets take little, and WriteTimeout is short
	rate                    int  // MaxMessageRate
	handlers                int  // MaxConcurrentMessages
}

var flavours = []flavour{
	{name: "fasthttp", deflate: true},
	{name: "fasthttp tuned", tuned: true, streaming: true},
	{name: "fasthttp TLS", tls: true, streaming: true, rate: 200},
	{
		name: "fasthttp tuned TLS", tuned: true, tls: true, deflate: true, narrow: true,
		queue: 32 << 10, overflow: engineio.OverflowClose,
	},
	{name: "fiber", fiber: true, queue: 64 << 10, quiet: true},
	{name: "fiber tuned", fiber: true, tuned: true, deflate: true},
	{name: "fiber TLS", fiber: true, tls: true, deflate: true, handlers: 4},
	{
		name: "fiber tuned TLS", fiber: true, tuned: true, tls: true,
		queue: 64 << 10, overflow: engineio.OverflowDropOldest,
	},
	{
		name: "fiber streaming", fiber: true, streaming: true, narrow: true,
		queue: 64 << 10, overflow: engineio.OverflowDropNewest,
	},
}

// drops tells whether messages are lost there that were accepted.
func (f flavour) drops() bool {
	return f.overflow == engineio.OverflowDropNewest || f.overflow == engineio.OverflowDropOldest
}

// ends tells whether a session ends there that has much to read, whatever its client does.
func (f flavour) ends() bool {
	return f.queue > 0 && !f.quiet && !f.drops()
}

// fair tells whether well-behaved clients can count on all they are sent.
func (f flavour) fair() bool { return !f.drops() && !f.ends() }

// maxPayload takes the largest letter as base64.
const maxPayload = 300 << 10

// A stack is one server with the engine on it.
type stack struct {
	flavour
	srv    *engineio.Server
	addr   string
	conns  func() int32
	stop   func() error
	served chan struct{}

	mu  sync.Mutex
	ids [1024][32]byte // session ids of the past, in a ring
	id  int

	announced uint64 // broadcasts so far, the announcer's
}

func startStack(t *testing.T, f flavour, config engineio.Config) *stack {
	t.Helper()
	// The heartbeat is that of handshakes, since sessions have their own. Those that are given up live as long, so a
	// short run has less patience with a busy machine than a long one.
	config.PingInterval, config.PingTimeout = time.Second, 3*time.Second+min(*durationFlag/6, patience)
	config.UpgradeTimeout, config.CloseTimeout, config.WriteTimeout = lifetime, 20*time.Second, patience/2
	if f.narrow {
		config.WriteTimeout = time.Second
	}
	config.MaxPayload, config.MaxQueuedBytes, config.Overflow = maxPayload, f.queue, f.overflow
	config.MaxMessageRate = f.rate
	config.MaxConcurrentMessages, config.PerMessageDeflate = f.handlers, f.deflate
	config.Logger = slog.New(slog.DiscardHandler)
	s := &stack{flavour: f, srv: engineio.New(config), served: make(chan struct{})}
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	if f.narrow {
		ln = narrowListener{ln}
	}
	if f.tls {
		ln = tls.NewListener(ln, enginetest.ServerTLS(t))
	}
	serve := s.build()
	go func() {
		defer close(s.served)
		_ = serve(ln)
	}()
	return s
}

func (s *stack) build() (serve func(net.Listener) error) {
	server := &fasthttp.Server{Handler: s.srv.Handler(nil), StreamRequestBody: s.streaming}
	serve, s.stop = server.Serve, server.Shutdown
	if s.fiber {
		app := fiber.New(fiber.Config{DisableStartupMessage: true, StreamRequestBody: s.streaming})
		app.Use(eiofiber.New(s.srv))
		if s.tuned {
			eiofiber.Tune(app)
		}
		server, serve, s.stop = app.Server(), app.Listener, app.Shutdown
	} else if s.tuned {
		engineio.Tune(server)
	}
	server.MaxIdleWorkerDuration = 100 * time.Millisecond // idle workers are no leak, and not waited for
	server.Logger = silent{}
	s.conns = server.GetOpenConnectionsCount
	return serve
}

type silent struct{}

// Printf drops what fasthttp says of clients that break the rules.
func (silent) Printf(string, ...any) {}

// A narrowListener gives its connections a small send buffer.
type narrowListener struct{ net.Listener }

const narrowBuffer = 8 << 10

// Accept hands on the connection as it is, so that the engine finds its descriptor.
func (l narrowListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(narrowBuffer)
	}
	return c, err
}

// keep remembers an id.
func (s *stack) keep(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.ids[s.id%len(s.ids)][:])
	copy(s.ids[s.id%len(s.ids)][:], id)
	s.id++
}

// dial opens a connection, TLS and all.
func (s *stack) dial() (net.Conn, error) {
	c, err := net.DialTimeout("tcp4", s.addr, patience)
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(lifetime))
	if s.narrow {
		_ = c.(*net.TCPConn).SetReadBuffer(narrowBuffer)
	}
	if !s.tls {
		return c, nil
	}
	return enginetest.ClientTLS(c)
}
