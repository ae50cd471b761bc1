package middleware

import (
	"log/slog"
	"runtime/debug"

	"github.com/valyala/fasthttp"
)

// RecoverConfig configures Recover. The zero value works.
type RecoverConfig struct {
	// Logger gets one line at level error a panic: the value, method, path (without the query, which
	// may hold secrets), remote address and stack. Default: slog.Default().
	Logger *slog.Logger

	// Respond writes the answer; v is what was passed to panic. The response it gets is empty, with
	// status 500. Default: the text "Internal Server Error".
	Respond func(ctx *fasthttp.RequestCtx, v any)
}

// Recover turns a panic of the handlers inside into a logged 500. Without it a panic ends the process,
// because fasthttp does not recover.
//
//	h = middleware.Recover(middleware.RecoverConfig{Logger: logger})(h)
//
// It never panics again, not even with what Respond panics with. If the handler had hijacked the
// connection when it panicked, the panic is logged and nothing else is touched: the response may be a
// 101 that the hijack handler relies on. Panics on other goroutines, and a hijack handler runs on one,
// are out of its reach.
//
// What a handler wrote before it panicked is discarded, headers included, and so are headers that a
// middleware outside set before it called Recover's handler.
func Recover(config RecoverConfig) func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	logger, respond := config.Logger, config.Respond
	if respond == nil {
		respond = func(ctx *fasthttp.RequestCtx, _ any) { ctx.SetBodyString("Internal Server Error") }
	}
	return func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
		needNext("Recover", next)
		return func(ctx *fasthttp.RequestCtx) {
			defer func() {
				if v := recover(); v != nil {
					logPanic(logger, ctx, v)
					answerPanic(ctx, respond, v)
				}
			}()
			next(ctx)
		}
	}
}

func logPanic(logger *slog.Logger, ctx *fasthttp.RequestCtx, v any) {
	defer func() { _ = recover() }() // v may be a value that cannot even be printed
	if logger == nil {
		logger = slog.Default() // asked each time, so that a later SetDefault counts
	}
	logger.Error("panic in handler",
		"panic", v,
		"method", string(ctx.Method()),
		"path", string(ctx.Path()),
		"remote", ctx.RemoteAddr().String(),
		"stack", string(debug.Stack()))
}

func answerPanic(ctx *fasthttp.RequestCtx, respond func(*fasthttp.RequestCtx, any), v any) {
	if ctx.Hijacked() {
		return
	}
	fresh := func() {
		defer func() { _ = recover() }() // the discarded body may be a stream with a Close of its own
		ctx.Response.Reset()
	}
	defer func() {
		if recover() != nil {
			fresh()
			ctx.SetStatusCode(fasthttp.StatusInternalServerError)
		}
	}()
	fresh()
	ctx.SetStatusCode(fasthttp.StatusInternalServerError)
	leaveBody(ctx)
	respond(ctx, v)
}
