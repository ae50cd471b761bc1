// Package middleware has what an Engine.IO server on plain fasthttp usually wants beside it: CORS,
// response compression, static files and a recover. Fiber users have Fiber's own.
//
// Every constructor takes its configuration, panics if that makes no sense, and returns a function
// that wraps a handler. The outermost is written last:
//
//	h := router.Handler
//	h = middleware.Static(middleware.StaticFiles{"/": {Name: "index.html"}})(h)
//	h = middleware.Compress(middleware.CompressConfig{})(h)
//	h = middleware.Recover(middleware.RecoverConfig{})(h)
//	h = middleware.CORS(middleware.CORSConfig{AllowedOrigins: []string{"https://example.com"}})(h)
//	fasthttp.ListenAndServe(":3000", srv.Handler(h))
//
// CORS belongs outside of Recover, so that a page can read a 500 too. The engine itself does its own
// CORS and compression and is best left outside of these, as above.
package middleware

import "github.com/valyala/fasthttp"

// needNext panics for a handler that would only panic at the first request.
func needNext(name string, next fasthttp.RequestHandler) {
	if next == nil {
		panic("middleware: " + name + ": the handler to wrap is nil")
	}
}
