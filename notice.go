package engineio

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A notice is a kind of warning: of something that is likely a mistake of the application or of its installation, and not
// of one client.
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

// noticeTime is the least time between two warnings of one kind: clients cause them, and must not fill the log.
const noticeTime = time.Minute

// notices bound how often a warning of each kind is logged.
type notices [noticeCount]struct {
	next   atomic.Int64 // of Server.now, when another line may be written
	missed atomic.Int64 // warnings left out since the last line
}

// due reports whether a warning of that kind may be logged now, and how many were left out since the last.
func (n *notices) due(kind notice, now time.Duration) (missed int64, ok bool) {
	one := &n[kind]
	next := one.next.Load()
	if int64(now) < next || !one.next.CompareAndSwap(next, int64(now+noticeTime)) {
		one.missed.Add(1)
		return 0, false
	}
	return one.missed.Swap(0), true
}

// warn logs a warning, which says what to do, unless one of that kind was logged within noticeTime.
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

// remedies are warnings for refusals that the application can prevent. They are not in a map, since errors that the
// application has made are looked up too, and those need not be hashable.
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

// debugging reports whether the Logger takes lines at Debug, so that what they say is collected only then.
func (srv *Server) debugging() bool {
	return srv.config.Logger.Enabled(context.Background(), slog.LevelDebug)
}

// shortened cuts a value that a client has chosen, for the log.
func shortened(b []byte) string {
	const most = 200
	if len(b) > most {
		return string(b[:most]) + "..."
	}
	return string(b)
}
