package engineio

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"iter"
	"net/netip"
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
	config    Config
	origins   *origins
	proxies   proxies
	packer    *compress.Compressor // nil when compression is off
	registry  registry
	admission *admission
	sessions  waitGroup       // that have not ended, handshakes under way included
	busy      waitGroup       // sessions, their connections, tasks of Go
	queued    budget          // what waits in the sessions' queues
	asking    atomic.Int32    // OnHandshake under way
	tasks     atomic.Int32    // of Go, under way
	late      latecomers      // sessions that wait for their OnDisconnect
	notices   notices         // what the log was told of
	draining  atomic.Bool     // no new sessions
	closing   atomic.Bool     // and no new tasks
	made      time.Time       // when now began to count
	drainGap  time.Duration   // the longest between two sessions that Drain closes
	ctx       context.Context // of the tasks of Go
	cancel    context.CancelFunc
	watching  atomic.Pointer[<-chan struct{}] // the HTTP server of the last request
	sight     connWarnings

	addressless sync.Once // the warning about clients without an IP address

	mu      sync.Mutex
	watched []<-chan struct{} // the HTTP servers whose end ends this one too
	stopped chan struct{}     // closed when Shutdown is through
	stop    sync.Once
}

// New makes a Server. It panics on a Config that makes no sense.
func New(config Config) *Server {
	srv := &Server{config: config.withDefaults(), made: time.Now(), drainGap: maxDrainGap, stopped: make(chan struct{})}
	srv.config.check()
	if f := srv.config.AllowOrigin; f != nil {
		srv.config.AllowOrigin = func(origin string) (ok bool) {
			srv.guarded("AllowOrigin", func() { ok = f(origin) })
			return ok
		}
	}
	var err error
	if srv.proxies, err = newProxies(srv.config.TrustedProxies); err != nil {
		panic("engineio: Config.TrustedProxies: " + err.Error())
	}
	if srv.origins, err = newOrigins(srv.config, srv.proxies); err != nil {
		panic("engineio: Config.AllowedOrigins: " + err.Error())
	}
	if srv.packer, err = newPacker(srv.config); err != nil {
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

// Len is the number of sessions that have not ended, handshakes under way included, and those that have
// whose last large response is being written.
func (srv *Server) Len() int { return srv.sessions.count() }

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

// Shutdown refuses new sessions (503), closes the open ones in good order with ReasonShutdown, and
// waits until they and the tasks of Go have ended. When ctx ends first it drops what is still
// queued, and returns an error that wraps the cause of ctx and says what it was waiting for, such as
// "1 session in OnMessage". A Server does not come back. In a callback or a task of Go it
// would wait for itself until ctx ends: start it by go there. What it waits for is logged (Warn) when it
// takes longer than Config.CloseTimeout.
//
// Call it before the HTTP server's own Shutdown, so that long-polling clients can still fetch
// what was sent to them. The HTTP server's Shutdown alone does the same, but without that.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.draining.Store(true)
	srv.closing.Store(true)
	srv.cancel()
	srv.registry.each(func(s *Session) bool {
		s.close(ReasonShutdown)
		return true
	})
	err := srv.waitIdle(ctx)
	if why := err; err != nil {
		err = fmt.Errorf("engineio: Shutdown: %w, with %s left", why, srv.pending())
		srv.registry.each(func(s *Session) bool {
			s.terminate(ReasonShutdown, why)
			return true
		})
	}
	srv.stop.Do(func() { close(srv.stopped) })
	return err
}

// newPacker makes what compresses long-polling responses, nil for nothing.
func newPacker(c Config) (*compress.Compressor, error) {
	if c.DisableCompression {
		return nil, nil
	}
	l := c.CompressionLevels
	return compress.New(compress.Options{
		GzipLevel: l.Gzip, DeflateLevel: l.Deflate, BrotliLevel: l.Brotli, ZstdLevel: l.Zstd,
	})
}

// watch ties this Server's life to that of an HTTP server, whose Shutdown would otherwise wait for
// parked polls and know nothing of WebSockets.
func (srv *Server) watch(done <-chan struct{}) {
	if last := srv.watching.Load(); done == nil || last != nil && *last == done {
		return // none that can be shut down, or no news
	}
	news := done // done itself would be on the heap for every request
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.watching.Store(&news)
	if slices.Contains(srv.watched, done) {
		return
	}
	srv.watched = append(srv.watched, done)
	go func() {
		select {
		case <-done:
			ctx, cancel := context.WithTimeout(context.Background(), 2*srv.config.CloseTimeout)
			defer cancel()
			if err := srv.Shutdown(ctx); err != nil {
				srv.config.Logger.Warn("engineio: the HTTP server has shut down", "err", err)
			}
		case <-srv.stopped:
		}
	}()
}

// admit counts a session that is about to open.
func (srv *Server) admit(from netip.Addr) *RequestError {
	if !from.IsValid() && srv.admission.tracks {
		srv.addressless.Do(func() {
			srv.config.Logger.Warn("engineio: a client has no IP address, as on a Unix socket: all such clients count as one for " +
				"MaxSessionsPerIP and MaxHandshakeRatePerIP; for a proxy that sets X-Forwarded-For, list \"unix\" in Config.TrustedProxies")
		})
	}
	srv.busy.add() // before the look at draining, or Shutdown could miss it
	err := srv.admission.reserve(from, srv.now())
	if err == nil && !srv.sessions.tryAdd(srv.config.MaxSessions) {
		srv.admission.release(from)
		err = retryLater(503, "Too many sessions", unavailableTime, errSessions)
	}
	if err == nil && srv.draining.Load() {
		srv.dismiss(from)
		err = errDraining()
	}
	if err != nil {
		srv.busy.done()
	}
	return err
}

func errDraining() *RequestError {
	return retryLater(503, "Server is shutting down", unavailableTime, ErrShutdown)
}

// dismiss is the end of an admitted session, but for what busy counts.
func (srv *Server) dismiss(from netip.Addr) {
	srv.admission.release(from)
	srv.sessions.done()
}

// add makes an admitted session known. One that opens while Shutdown or Drain walks is closed here. It fails
// when the id is taken.
func (srv *Server) add(s *Session) bool {
	if !srv.registry.add(s) {
		return false
	}
	switch {
	case srv.closing.Load():
		s.close(ReasonShutdown)
	case srv.draining.Load():
		s.close(ReasonDrain)
	}
	if s.isClosed() {
		srv.forget(s) // it ended before it was known
	}
	return true
}

func (srv *Server) forget(s *Session) { srv.registry.remove(s) }

// maxID bounds the session ids of GenerateID, in bytes.
const maxID = 128

// validID keeps ids to what needs no escaping in JSON, a query or a cookie.
func validID(id string) bool {
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '-', c == '_', c == '.', c == '~':
		default:
			return false
		}
	}
	return len(id) >= 1 && len(id) <= maxID
}

// newID is 15 random bytes: 120 bits that nobody guesses, 20 characters.
func newID() string {
	var b [15]byte
	_, _ = rand.Read(b[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(b[:])
}
