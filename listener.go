package engineio

import (
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/fasteio/engineio/internal/files"
)

// Listener makes ln outlast a shortage of files. The Accept of ln fails when the process, or the system, has as
// many open files as it may (EMFILE, ENFILE) or no memory for another socket; fasthttp and Fiber take that for the end
// and return from Serve, which ends most programs. The Accept of the returned listener tries again instead, first
// after 5 ms and then after twice as long each time, 500 ms at most, and logs a warning once a minute. All else
// is ln's own: what it accepts, every other error, its address and its Close, which also ends a wait at once.
//
//	ln, err := net.Listen("tcp", ":3000")
//	...
//	server.Serve(srv.Listener(ln)) // fasthttp
//	app.Listener(srv.Listener(ln)) // Fiber, in place of app.Listen
//
// TLS goes around it: tls.NewListener(srv.Listener(ln), config).
//
// It also compares the limit of open files with Config.MaxSessions, and warns when that many sessions by WebSocket
// could not be open at once.
func (srv *Server) Listener(ln net.Listener) net.Listener {
	srv.compareFiles()
	return &listener{Listener: ln, srv: srv, closed: make(chan struct{})}
}

// A listener accepts until it is closed, whatever the system lacks for the moment.
type listener struct {
	net.Listener
	srv    *Server
	once   sync.Once
	closed chan struct{}
}

// The wait for files, as net/http's but for its end: half a second is what a free server may seem to be absent.
const (
	firstAcceptDelay = 5 * time.Millisecond
	lastAcceptDelay  = 500 * time.Millisecond
)

func (l *listener) Accept() (net.Conn, error) {
	for delay := firstAcceptDelay; ; delay = min(2*delay, lastAcceptDelay) {
		c, err := l.Listener.Accept()
		if err == nil || !isShortage(err) {
			return c, err
		}
		l.srv.warn(noticeFiles, "engineio: no connection can be accepted for now: raise the limit of open files (ulimit -n, "+
			"LimitNOFILE), or lower Config.MaxSessions and the HTTP server's Concurrency", "err", err)
		timer := time.NewTimer(delay)
		select {
		case <-timer.C:
		case <-l.closed:
			timer.Stop()
			return nil, net.ErrClosed
		}
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return l.Listener.Close()
}

// isShortage reports whether an Accept failed for want of something that may be there again later.
func isShortage(err error) bool {
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// compareFiles warns when sessions may need more files than the process may open. What the HTTP server may hold
// beside them is known to the Fiber middleware alone.
func (srv *Server) compareFiles() {
	if limit, ok := files.Limit(); ok && uint64(srv.config.MaxSessions) > limit {
		srv.config.Logger.Warn("engineio: Config.MaxSessions is above the limit of open files: lower it, or raise the limit (ulimit -n, LimitNOFILE)",
			"MaxSessions", srv.config.MaxSessions, "limit", limit)
	}
}
