package engineio

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/valyala/fasthttp"
)

// Drain empties the Server for a deploy: it refuses new sessions from now on (503 with Retry-After), turns
// ServeHealth red, and closes the open sessions as Session.Close does, with ReasonDrain, one after the other over
// the window, so that their clients do not all come to the other servers at once. Few sessions do not take all
// of it: 100 ms pass between two at most. It returns when none
// is left, at once if there was none, or with the cause of ctx; those that are left then stay. One whose
// client does not come takes CloseTimeout beyond the window. Call Shutdown next: it ends those that are left
// and waits for every OnDisconnect.
//
// A proxy should give a handshake that was answered 503 to another server: see examples/proxy.
func (srv *Server) Drain(ctx context.Context, window time.Duration) error {
	srv.draining.Store(true)
	srv.registry.each(func(s *Session) bool {
		if s.isOpening() {
			s.close(ReasonDrain)
		}
		return true
	})
	sessions := slices.Collect(srv.Sessions())
	rand.Shuffle(len(sessions), func(i, k int) { sessions[i], sessions[k] = sessions[k], sessions[i] })
	begin := srv.now()
	left := make(chan error, 1)
	go func() { left <- srv.places.wait(ctx) }()
	for i, s := range sessions {
		due := begin + min(time.Duration(float64(window)*float64(i+1)/float64(len(sessions))), time.Duration(i+1)*srv.drainGap)
		timer := time.NewTimer(due - srv.now())
		select {
		case <-timer.C:
		case err := <-left:
			timer.Stop()
			return err
		}
		s.close(ReasonDrain)
	}
	return <-left
}

// ServeHealth answers 200 while the Server takes new sessions, and 503 from Drain or Shutdown on. Mount it where the
// load balancer checks. It knows nothing of what else the application needs to be healthy.
func (srv *Server) ServeHealth(ctx *fasthttp.RequestCtx) {
	ctx.Response.Header.Set("Cache-Control", "no-store")
	discardBody(ctx)
	if srv.draining.Load() {
		ctx.SetStatusCode(fasthttp.StatusServiceUnavailable)
		ctx.SetBodyString("draining\n")
		return
	}
	ctx.SetBodyString("ok\n")
}

// maxDrainGap is the longest pause of Drain: ten clients a second are no burden to anybody.
const maxDrainGap = 100 * time.Millisecond
