package engineio

import (
	"context"
	"iter"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasteio/engineio/internal/compress"
)

// A Server holds sessions and speaks the protocol for them. It is made by New, mounted with
// Handler, ServeFastHTTP or the Fiber middleware, and ended by Shutdown. Its methods may be called from
// any goroutine.
type Server struct {
	config        Config
	origins       *origins
	proxies       proxies
	compressor    *compress.Compressor // nil when compression is off
	registry      registry
	admission     *admission
	open          atomic.Int64    // open sessions, which Len is
	places        waitGroup       // sessions that have not ended, handshakes under way included: at most MaxSessions
	busy          waitGroup       // what Shutdown waits for: sessions, their connections, tasks of Go
	queued        budget          // the memory of the sessions' queues
	handshaking   atomic.Int32    // OnHandshake under way
	tasks         atomic.Int32    // of Go, under way
	disconnecting sessionSet      // sessions that have ended and whose OnDisconnect has not returned
	notices       notices         // when the log had its last warning of each kind
	draining      atomic.Bool     // no new sessions are accepted
	closing       atomic.Bool     // nor new tasks of Go
	made          time.Time       // when now began to count
	drainGap      time.Duration   // the longest between two sessions that Drain closes
	ctx           context.Context // of the tasks of Go
	cancel        context.CancelFunc
	httpServers   atomic.Pointer[[]*httpServer] // those that have served it, and have not shut down; changed under mu
	connWarnings  connWarnings

	addressless sync.Once // the warning about clients without an IP address

	mu      sync.Mutex
	stopped chan struct{} // closed when Shutdown is through
	stop    sync.Once
}

// New makes a Server. It panics on a Config that makes no sense.
func New(config Config) *Server {
	srv := &Server{config: config.withDefaults(), made: time.Now(), drainGap: maxDrainGap, stopped: make(chan struct{})}
	srv.config.check()
	srv.guardAllowOrigin()
	var err error
	if srv.proxies, err = newProxies(srv.config.TrustedProxies); err != nil {
		panic("engineio: Config.TrustedProxies: " + err.Error())
	}
	if srv.origins, err = newOrigins(srv.config, srv.proxies); err != nil {
		panic("engineio: Config.AllowedOrigins: " + err.Error())
	}
	if srv.compressor, err = newCompressor(srv.config); err != nil {
		panic("engineio: Config.CompressionLevels: " + err.Error())
	}
	srv.registry.init()
	srv.admission = newAdmission(srv.config)
	srv.queued.limit = int64(srv.config.MaxQueuedBytesTotal)
	srv.ctx, srv.cancel = context.WithCancel(context.Background())
	return srv
}

// Config returns the configuration in force, defaults filled in.
func (srv *Server) Config() Config {
	c := srv.config
	c.Transports = slices.Clone(c.Transports)
	c.Revisions = slices.Clone(c.Revisions)
	c.AllowedOrigins = slices.Clone(c.AllowedOrigins)
	c.TrustedProxies = slices.Clone(c.TrustedProxies)
	if c.Cookie != nil {
		cookie := *c.Cookie
		c.Cookie = &cookie
	}
	if c.InitialMessage != nil {
		c.InitialMessage = &Message{Data: slices.Clone(c.InitialMessage.Data), Binary: c.InitialMessage.Binary}
	}
	return c
}

// now is the time since the Server was made: 8 bytes where a time.Time has 24.
func (srv *Server) now() time.Duration { return time.Since(srv.made) }

// Session finds an open session by its id.
func (srv *Server) Session(id string) (*Session, bool) {
	s := srv.registry.get(view(id))
	if s == nil || s.over.Load() {
		return nil, false
	}
	return s, true
}

// Sessions walks over the open sessions, in no order. A session that opens or ends meanwhile may
// be among them or not.
func (srv *Server) Sessions() iter.Seq[*Session] {
	return func(yield func(*Session) bool) {
		srv.registry.each(func(s *Session) bool { return s.over.Load() || yield(s) })
	}
}

// Len is the number of open sessions, those that Sessions walks over. A handshake under way is none yet, and a session
// that is closing none any more, though both count for Config.MaxSessions.
func (srv *Server) Len() int { return int(srv.open.Load()) }

// Broadcast sends p to every open session. It does not wait for any: to a WebSocket it writes what the
// socket takes at once, about 10 us each (benchmarks/results/scale.md), and leaves the rest to a goroutine.
// Config.Overflow says what becomes of a session whose queue is full. A text that a session's transport
// cannot carry (see ErrInvalidText) is left out for that session. It does not count who gets it; see Len.
func (srv *Server) Broadcast(p *PreparedMessage) {
	srv.registry.each(func(s *Session) bool {
		_ = s.sendPrepared(p, true)
		return true
	})
}

// Disconnect closes the session of that id like Session.Close; false when there is none.
func (srv *Server) Disconnect(id string) bool {
	s, ok := srv.Session(id)
	if ok {
		s.Close()
	}
	return ok
}

// Go runs f in a goroutine that Shutdown waits for. The context it is given ends when Shutdown
// begins; a panic in f is logged. It fails with ErrShutdown after that.
func (srv *Server) Go(f func(ctx context.Context)) error {
	srv.busy.add()
	if srv.closing.Load() {
		srv.busy.done()
		return ErrShutdown
	}
	srv.tasks.Add(1)
	go func() {
		defer srv.busy.done()
		defer srv.tasks.Add(-1)
		defer srv.recovered("a task")
		f(srv.ctx)
	}()
	return nil
}

// recovered is deferred where a panic must not end the process.
func (srv *Server) recovered(where string) {
	if p := recover(); p != nil {
		srv.config.Logger.Error("engineio: panic in "+where, "panic", p, "stack", string(debug.Stack()))
	}
}

// guarded runs a hook whose panic must not reach fasthttp, which would let it end the process. It
// reports whether there was none.
func (srv *Server) guarded(where string, hook func()) (ok bool) {
	defer srv.recovered(where)
	hook()
	return true
}
