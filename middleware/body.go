package middleware

import "github.com/valyala/fasthttp"

// leaveBody is called where nobody reads the body: fasthttp parses what is left of a stream as the next request.
func leaveBody(ctx *fasthttp.RequestCtx) {
	if ctx.Request.IsBodyStream() && ctx.Request.Header.ContentLength() != 0 {
		ctx.SetConnectionClose()
	}
}
