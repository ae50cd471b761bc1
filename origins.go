package engineio

import (
	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/origin"
)

// origins decides which pages may connect. Without it any page that a user visits could open a
// WebSocket with that user's cookies and read what comes.
type origins struct {
	allowed *origin.Matcher // nil: the request's own host
}

func newOrigins(patterns []string) (*origins, error) {
	if len(patterns) == 0 {
		return &origins{}, nil
	}
	m, err := origin.Compile(patterns)
	if err != nil {
		return nil, err
	}
	return &origins{allowed: m}, nil
}

func (o *origins) allow(ctx *fasthttp.RequestCtx) bool {
	from := ctx.Request.Header.Peek("Origin")
	if len(from) == 0 {
		return true // not a page
	}
	if o.allowed == nil {
		return origin.SameHost(string(from), string(ctx.Host()))
	}
	return o.allowed.Allowed(string(from))
}
