package middleware

import (
	"strconv"
	"strings"
	"time"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/fasteio/engineio/internal/origin"
	"github.com/valyala/fasthttp"
)

// CORSConfig configures CORS. One of AllowedOrigins and AllowOrigin is required.
type CORSConfig struct {
	// AllowedOrigins are the origins whose pages may read the responses: "https://example.com" exactly,
	// "https://*.example.com" with every subdomain (not example.com itself), "http://localhost:*" with any
	// port, "file://", "null" (any page can have it, by a sandboxed frame), or "*" for all.
	AllowedOrigins []string

	// AllowOrigin decides about origins that AllowedOrigins does not match. It sees the header as it was
	// sent, "null" included. A panic is logged and refuses. Optional; useless beside "*".
	AllowOrigin func(ctx *fasthttp.RequestCtx, origin string) bool

	// AllowCredentials lets pages send cookies and authorization along. It cannot go with "*": every page
	// of the web would act as the user. Who wants even that must say so, by an AllowOrigin that
	// returns true.
	AllowCredentials bool

	// Methods are what a preflight allows. Default: GET, HEAD, PUT, PATCH, POST, DELETE.
	Methods []string

	// Headers are the request headers that a preflight allows. Default: those it asks for.
	Headers []string

	// ExposedHeaders are the response headers that pages may read beside the safelisted ones.
	// Default: none.
	ExposedHeaders []string

	// MaxAge is how long a browser may remember a preflight, in whole seconds; browsers cap it at
	// two hours or a day. Default: not sent, browsers take 5 s. Negative: 0, do not remember.
	MaxAge time.Duration
}

// CORS answers preflights with 204 and adds the headers that let pages of other origins read the
// responses of the handlers inside.
//
//	h = middleware.CORS(middleware.CORSConfig{
//		AllowedOrigins:   []string{"https://example.com", "https://*.example.com"},
//		AllowCredentials: true,
//	})(h)
//
// CORS refuses nothing: a request of an origin that is not allowed goes on, and the response lacks the
// headers, so that the browser keeps it from the page. Its preflight is answered with a bare 204.
// Handlers that change something need a protection of their own against forged requests.
//
// Vary: Origin is set on all responses that depend on the origin, the refused and those without one
// included, or a cache would hand the answer for one origin to another. With "*" nothing depends on it.
// Headers are added after the handler returned, so ctx.Error does not wipe them; a handler that sets
// Access-Control-Allow-Origin itself has decided, and is left alone.
func CORS(config CORSConfig) func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	c := newCORS(config)
	return func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
		needNext("CORS", next)
		return func(ctx *fasthttp.RequestCtx) {
			from := string(httpheader.Value(&ctx.Request.Header, httpheader.Origin))
			allowed := c.allowed(ctx, from)
			if from != "" && isPreflight(ctx) {
				c.preflight(ctx, from, allowed)
				return
			}
			next(ctx)
			c.respond(ctx, from, allowed)
		}
	}
}

func isPreflight(ctx *fasthttp.RequestCtx) bool {
	return ctx.IsOptions() && len(httpheader.Value(&ctx.Request.Header, httpheader.AccessControlRequestMethod)) > 0
}

type cors struct {
	origins     *origin.Matcher
	allowOrigin func(*fasthttp.RequestCtx, string) bool
	credentials bool
	methods     string
	headers     string // empty: those asked for
	exposed     string
	maxAge      string
}

func newCORS(config CORSConfig) *cors {
	m, err := origin.Compile(config.AllowedOrigins)
	switch {
	case err != nil:
		panic("middleware: CORS: " + err.Error())
	case len(config.AllowedOrigins) == 0 && config.AllowOrigin == nil:
		panic("middleware: CORS: neither AllowedOrigins nor AllowOrigin is set, nothing would be allowed")
	case m.Any() && config.AllowOrigin != nil:
		panic(`middleware: CORS: AllowOrigin would never be asked beside the origin "*"`)
	case m.ListsNull() && config.AllowCredentials:
		panic(`middleware: CORS: AllowCredentials with the origin "null" would let every page act as the user, by a sandboxed frame`)
	case m.Any() && config.AllowCredentials:
		panic(`middleware: CORS: AllowCredentials with the origin "*" would let every page act as the user`)
	}
	c := &cors{
		origins:     m,
		allowOrigin: config.AllowOrigin,
		credentials: config.AllowCredentials,
		methods:     "GET, HEAD, PUT, PATCH, POST, DELETE",
		headers:     list("Headers", config.Headers),
		exposed:     list("ExposedHeaders", config.ExposedHeaders),
	}
	if len(config.Methods) > 0 {
		c.methods = list("Methods", config.Methods)
	}
	if config.MaxAge != 0 {
		c.maxAge = strconv.FormatInt(int64(max(0, config.MaxAge)/time.Second), 10)
	}
	return c
}

// list joins the values of an option, which must be tokens.
func list(option string, values []string) string {
	for _, v := range values {
		if v == "" || strings.ContainsFunc(v, separates) {
			panic("middleware: CORS: " + option + ": " + strconv.Quote(v) + " is not a token")
		}
	}
	return strings.Join(values, ", ")
}

// separates reports whether r cannot be part of a token (RFC 9110 5.6.2).
func separates(r rune) bool {
	return r <= ' ' || r > '~' || strings.ContainsRune(`,;:"()<>@/[]?={}\`, r)
}

func (c *cors) allowed(ctx *fasthttp.RequestCtx, from string) bool {
	if from == "" {
		return c.origins.Any() // else a cache could give pages an answer without the header
	}
	return c.origins.Allowed(from) || c.allowOrigin != nil && c.asks(ctx, from)
}

// asks is AllowOrigin's answer. CORS stands outside of Recover: a panic would end the process, so it is logged and refuses.
func (c *cors) asks(ctx *fasthttp.RequestCtx, from string) (allowed bool) {
	defer func() {
		if v := recover(); v != nil {
			allowed = false
			logPanic(nil, ctx, v)
		}
	}()
	return c.allowOrigin(ctx, from)
}

func (c *cors) preflight(ctx *fasthttp.RequestCtx, from string, allowed bool) {
	ctx.SetStatusCode(fasthttp.StatusNoContent)
	leaveBody(ctx)
	h := &ctx.Response.Header
	h.SetNoDefaultContentType(true)
	c.admit(h, from, allowed)
	if c.headers == "" {
		httpheader.AddVary(h, httpheader.AccessControlRequestHeaders)
	}
	if !allowed {
		return
	}
	h.Set(fasthttp.HeaderAccessControlAllowMethods, c.methods)
	if c.headers != "" {
		h.Set(fasthttp.HeaderAccessControlAllowHeaders, c.headers)
	} else if asked := httpheader.Value(&ctx.Request.Header, httpheader.AccessControlRequestHeaders); len(asked) > 0 {
		h.SetBytesV(fasthttp.HeaderAccessControlAllowHeaders, asked)
	}
	if c.maxAge != "" {
		h.Set(fasthttp.HeaderAccessControlMaxAge, c.maxAge)
	}
}

func (c *cors) respond(ctx *fasthttp.RequestCtx, from string, allowed bool) {
	h := &ctx.Response.Header
	if len(httpheader.Value(h, httpheader.AccessControlAllowOrigin)) > 0 {
		allowed = false
	}
	c.admit(h, from, allowed)
	if allowed && c.exposed != "" {
		h.Set(fasthttp.HeaderAccessControlExposeHeaders, c.exposed)
	}
}

// admit sets what preflights and responses have in common.
func (c *cors) admit(h *fasthttp.ResponseHeader, from string, allowed bool) {
	if c.origins.Any() {
		from = "*"
	} else {
		httpheader.AddVary(h, httpheader.Origin)
	}
	if !allowed {
		return
	}
	h.Set(fasthttp.HeaderAccessControlAllowOrigin, from)
	if c.credentials {
		h.Set(fasthttp.HeaderAccessControlAllowCredentials, "true")
	}
}
