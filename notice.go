package engineio

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A notice is a kind of thing that is worth a Warn because it is likelier a mistake of the application, or of its
// installation, than of one client.
type notice uint8

const (
	noticeOrigin notice = iota
	noticeJSONP
	noticeSessions
	noticeSessionsOfOne
	noticeRate
	noticeRateOfOne
	noticePayload
	noticeQueues
	noticeCallback
	noticeFiles
	noticeCount
)

// noticeTime is the least time between two lines of one kind: clients cause them, and must not fill the log.
const noticeTime = time.Minute

// notices bound how often the log is told of each kind.
type notices [noticeCount]struct {
	next   atomic.Int64 // of Server.now, when another line may be written
	missed atomic.Int64 // since the last line
}

// due reports whether a line of that kind may be written now, and how many were not since the last.
func (n *notices) due(kind notice, now time.Duration) (missed int64, ok bool) {
	one := &n[kind]
	next := one.next.Load()
	if int64(now) < next || !one.next.CompareAndSwap(next, int64(now+noticeTime)) {
		one.missed.Add(1)
		return 0, false
	}
	return one.missed.Swap(0), true
}

// warn writes a line that says what to do, unless there was one of that kind within a minute.
func (srv *Server) warn(kind notice, message string, args ...any) {
	missed, ok := srv.notices.due(kind, srv.now())
	if !ok {
		return
	}
	if missed > 0 {
		args = append(args, "more", missed)
	}
	srv.config.Logger.Warn(message, args...)
}

// remedies are the refusals that the application can do something about. It is no map: errors of the application are
// looked for too, and need not be hashable.
var remedies = []struct {
	err     error
	kind    notice
	message string
}{
	{errSessions, noticeSessions, "engineio: refused a handshake, there are Config.MaxSessions: raise it if the machine can take more"},
	{errSessionsOfOne, noticeSessionsOfOne, "engineio: refused a handshake, there are Config.MaxSessionsPerIP of its address: raise it, or list the proxy in Config.TrustedProxies if that is the address of one"},
	{errRate, noticeRate, "engineio: refused a handshake, there are more than Config.MaxHandshakeRate a second: raise it if the machine can take more"},
	{errRateOfOne, noticeRateOfOne, "engineio: refused a handshake, there are more than Config.MaxHandshakeRatePerIP a second of its address: raise it, or list the proxy in Config.TrustedProxies if that is the address of one"},
	{errTooBig, noticePayload, "engineio: refused a payload, it is above Config.MaxPayload: raise that, and the HTTP server's own bound with it"},
}

// debugging reports whether lines at Debug are wanted: what they tell is then worth collecting.
func (srv *Server) debugging() bool {
	return srv.config.Logger.Enabled(context.Background(), slog.LevelDebug)
}

// shortened is a value that a client chose, for the log.
func shortened(b []byte) string {
	const most = 200
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}
