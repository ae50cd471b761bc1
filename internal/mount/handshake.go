package mount

import (
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
)

// key is where the framework's context of type C stands among the values of the request.
type key[C any] struct{}

// Serve answers the request of ctx with srv. Hooks made by OnHandshake get c.
func Serve[C any](srv *engineio.Server, ctx *fasthttp.RequestCtx, c C) {
	ctx.SetUserValue(key[C]{}, c)
	defer ctx.RemoveUserValue(key[C]{}) // c is another request's afterwards
	srv.ServeFastHTTP(ctx)
}

// OnHandshake makes hook one of the engine's. It refuses sessions that were not opened by Serve, with status 500.
func OnHandshake[C any](hook func(*engineio.Session, C) error) func(*engineio.Session, *fasthttp.RequestCtx) error {
	return func(s *engineio.Session, ctx *fasthttp.RequestCtx) error {
		c, ok := ctx.UserValue(key[C]{}).(C)
		if !ok {
			return &engineio.RequestError{
				Status:  fasthttp.StatusInternalServerError,
				Message: "eiofiber: a hook of eiofiber.OnHandshake has requests that come by eiofiber.New of the same package, no other",
			}
		}
		return hook(s, c)
	}
}
