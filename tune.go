package engineio

import (
	"time"

	"github.com/valyala/fasthttp"
)

// What Tune sets where the application has set nothing.
const (
	tunedReadTimeout = 30 * time.Second
	tunedIdleTimeout = 75 * time.Second
)

// Tune sets what a server of many long-lived connections wants. It is optional: a Server works on
// any fasthttp.Server, and notices by itself how it was set. Call it before the server starts.
//
// These two cut the memory of an idle session to a third, and change the rest of the application:
//
//   - KeepHijackedConns = true. A WebSocket then runs in a goroutine of the engine and fasthttp takes back
//     the upgrade request and its read buffer. Other handlers of the application that call
//     RequestCtx.Hijack must close their connections themselves: fasthttp no longer does it when
//     their hijack handler returns.
//   - ReduceMemoryUsage = true. A connection that waits for its next request, or for the answer to a
//     poll, has no read buffer. Every request begins with a read of one byte instead, a system
//     call more: a message by long-polling costs about a quarter more, one by WebSocket the same.
//
// These are set where they are zero, which means without bound:
//
//   - ReadTimeout = 30 s, for one request with its body to arrive. Without it a client that sends a
//     byte now and then holds a connection for ever. Uploads that take longer need more.
//
//   - WriteTimeout = the ReadTimeout then in force, for one response to be taken. Without it a client that
//     sends requests and reads no answer holds a connection for ever. Downloads that take longer need more. It takes the
//     place of Config.WriteTimeout for long-polling responses, and bounds a TLS handshake.
//
//   - IdleTimeout = 75 s, for the next request on a connection. It has to be longer than a client
//     waits between two polls.
//
//   - DisablePreParseMultipartForm = true, if StreamRequestBody is. Otherwise fasthttp takes every form
//     with files apart before the handler runs, whatever its length, and beyond 16 MB into
//     temporary files. RequestCtx.MultipartForm does so when it is called.
//
// It leaves MaxRequestBodySize alone: Config.MaxPayload bounds what a session accepts, and
// fasthttp's 4 MB are above its default. A larger MaxPayload needs a larger MaxRequestBodySize.
// WriteTimeout does not bound how long a poll may be parked.
func Tune(s *fasthttp.Server) {
	s.KeepHijackedConns = true
	s.ReduceMemoryUsage = true
	s.DisablePreParseMultipartForm = s.DisablePreParseMultipartForm || s.StreamRequestBody
	if s.ReadTimeout == 0 {
		s.ReadTimeout = tunedReadTimeout
	}
	if s.WriteTimeout == 0 {
		s.WriteTimeout = s.ReadTimeout
	}
	if s.IdleTimeout == 0 {
		s.IdleTimeout = tunedIdleTimeout
	}
}
