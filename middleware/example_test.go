package middleware_test

import (
	"log/slog"
	"time"

	"github.com/fasteio/engineio/middleware"
	"github.com/valyala/fasthttp"
)

var router = struct{ Handler fasthttp.RequestHandler }{func(*fasthttp.RequestCtx) {}}

func Example() {
	h := router.Handler
	h = middleware.Static(middleware.StaticFiles{"/": {Name: "index.html"}, "/static": {Name: "./public"}})(h)
	h = middleware.Compress(middleware.CompressConfig{})(h)
	h = middleware.Recover(middleware.RecoverConfig{})(h)
	h = middleware.CORS(middleware.CORSConfig{AllowedOrigins: []string{"https://example.com"}})(h)
	_ = fasthttp.Server{Handler: h}
}

func ExampleCORS() {
	h := middleware.CORS(middleware.CORSConfig{
		AllowedOrigins:   []string{"https://example.com", "https://*.example.com"},
		AllowCredentials: true,
		MaxAge:           time.Hour,
	})(router.Handler)
	_ = fasthttp.Server{Handler: h}
}

// Tenants come and go, so a function decides.
func ExampleCORS_function() {
	tenants := map[string]bool{"https://one.example": true}
	h := middleware.CORS(middleware.CORSConfig{
		AllowOrigin: func(_ *fasthttp.RequestCtx, origin string) bool { return tenants[origin] },
	})(router.Handler)
	_ = fasthttp.Server{Handler: h}
}

func ExampleCompress() {
	h := middleware.Compress(middleware.CompressConfig{
		Threshold: 512,
		Prefer:    []string{"br", "gzip"},
	})(router.Handler)
	_ = fasthttp.Server{Handler: h}
}

func ExampleStatic() {
	h := middleware.Static(middleware.StaticFiles{
		"/":        {Name: "latency.html"},
		"/static":  {Name: "./public"},
		"/feed":    {Name: "feed.xml", ContentType: "application/atom+xml"},
		"":         {Name: "index.htm"},
		"/metrics": {Name: "./metrics", ContentType: "text/plain"},
	})(router.Handler)
	_ = fasthttp.Server{Handler: h}
}

func ExampleRecover() {
	h := middleware.Recover(middleware.RecoverConfig{
		Logger: slog.Default(),
		Respond: func(ctx *fasthttp.RequestCtx, _ any) {
			ctx.SetContentType("application/json")
			ctx.SetBodyString(`{"error":"internal"}`)
		},
	})(router.Handler)
	_ = fasthttp.Server{Handler: h}
}
