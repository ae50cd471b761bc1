package engineio

import (
	"fmt"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// report tells the application and the log of a refused request.
func (srv *Server) report(ctx *fasthttp.RequestCtx, e *RequestError) {
	remote := srv.proxies.remoteAddr(ctx)
	if f := srv.config.OnRequestRefused; f != nil {
		srv.guarded("OnRequestRefused", func() { f(ctx, remote, e) })
	}
	for _, r := range remedies {
		if e.Err == r.err {
			srv.warn(r.kind, r.message, "remote", remote)
		}
	}
	if !srv.debugging() {
		return
	}
	asked := parse(ctx)
	srv.config.Logger.Debug("engineio: request refused", "status", e.Status, "code", e.Code, "message", e.Message,
		"err", e.Err, "remote", remote, "method", shortened(ctx.Method()), "path", shortened(ctx.Path()),
		"transport", asked.transport, "sid", shortened(asked.sid))
}

// warnOrigin tells what would let in the page whose request is about to be refused. A page of JSONP is known by
// its Referer alone.
func (srv *Server) warnOrigin(ctx *fasthttp.RequestCtx) {
	host := shortened(ctx.Host())
	if from := httpheader.Value(&ctx.Request.Header, httpheader.Origin); len(from) > 0 {
		srv.warn(noticeOrigin, fmt.Sprintf("engineio: refused origin %q: list it in Config.AllowedOrigins", shortened(from)), "host", host)
		return
	}
	srv.warn(noticeJSONP, "engineio: refused JSONP of a page that is not the server's own: list its origin in Config.AllowedOrigins",
		"referer", shortened(httpheader.Value(&ctx.Request.Header, httpheader.Referer)), "host", host)
}
