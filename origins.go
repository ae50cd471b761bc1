package engineio

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/fasteio/engineio/internal/origin"
)

// origins decides which pages may connect, and tells browsers so (CORS). Without it any page that
// a user visits could open a WebSocket with that user's cookies and read what comes.
type origins struct {
	listed      *origin.Matcher                         // nil: none
	allow       func(*fasthttp.RequestCtx, string) bool // nil: none
	credentials bool
	maxAge      string // of a preflight's answer, in seconds
	proxies     proxies
}

func newOrigins(c Config, p proxies) (*origins, error) {
	o := &origins{
		allow:       c.AllowOrigin,
		credentials: c.AllowCredentials,
		maxAge:      strconv.Itoa(int(preflightAge.Seconds())),
		proxies:     p,
	}
	if len(c.AllowedOrigins) == 0 {
		return o, nil
	}
	var err error
	o.listed, err = origin.Compile(c.AllowedOrigins)
	if err == nil && o.credentials && o.listed.ListsNull() {
		err = errNullCredentials
	}
	return o, err
}

// guardAllowOrigin has a panic in AllowOrigin logged, and refuse.
func (srv *Server) guardAllowOrigin() {
	if f := srv.config.AllowOrigin; f != nil {
		srv.config.AllowOrigin = func(ctx *fasthttp.RequestCtx, origin string) (ok bool) {
			srv.guarded("AllowOrigin", func() { ok = f(ctx, origin) })
			return ok
		}
	}
}

var errNullCredentials = errors.New(`"null" with AllowCredentials would let every page act as the user, by a sandboxed frame; ` +
	"AllowOrigin can take that upon itself")

// allows reports whether the page of a request may connect, and sets the headers that tell its browser so. A
// request without an Origin does not come from a page of another site, unless it is JSONP.
func (o *origins) allows(ctx *fasthttp.RequestCtx) bool {
	from := string(httpheader.Value(&ctx.Request.Header, httpheader.Origin))
	h := &ctx.Response.Header
	all := o.listed.Any() && !o.credentials
	if all {
		h.Set("Access-Control-Allow-Origin", "*")
	} else {
		httpheader.AddVary(h, httpheader.Origin)
	}
	if from == "" {
		page, foreign := scriptPage(ctx)
		if !foreign {
			return true
		}
		allowed := o.listed.Any() || page != "" && o.knows(ctx, page)
		if allowed { // a script tag, unlike CORS, is held up by what a middleware like helmet sets
			h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		}
		return allowed
	}
	if all {
		return true
	}
	if !o.knows(ctx, from) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", from)
	if o.credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	return true
}

// knows reports whether pages of an origin may talk to us.
func (o *origins) knows(ctx *fasthttp.RequestCtx, from string) bool {
	listed := o.listed.Allowed(from)
	if from == "null" && o.credentials {
		listed = false // "*" is no reason to give a sandboxed frame of any page the user's cookies
	}
	return listed || o.allow != nil && o.allow(ctx, from) || origin.SameHost(from, o.proxies.host(ctx))
}

// scriptPage is the origin of the page whose script tag sends a JSONP request. A script tag sends no
// Origin, and what it gets runs in the page: without a check of the headers that it does send, every
// page of the web could read a session that it has opened with its visitor's cookies. Browsers send no
// Sec-Fetch-Site to a server by plain HTTP, and no Referer where the page does not want it: then the page
// may be any, and is "". foreign is false for what is no JSONP, or comes from this site.
func scriptPage(ctx *fasthttp.RequestCtx) (page string, foreign bool) {
	if !ctx.QueryArgs().Has("j") {
		return "", false
	}
	site := string(httpheader.Value(&ctx.Request.Header, httpheader.SecFetchSite))
	if site == "same-origin" || site == "none" {
		return "", false
	}
	u, err := url.Parse(string(httpheader.Value(&ctx.Request.Header, httpheader.Referer)))
	if err != nil || u.Host == "" {
		return "", true
	}
	return u.Scheme + "://" + u.Host, true
}

// preflight answers a browser's preflight request, whose origin allows has accepted.
func (o *origins) preflight(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	headers := httpheader.Value(&ctx.Request.Header, httpheader.AccessControlRequestHeaders)
	if httpheader.IsTokenList(headers) {
		h.SetBytesV("Access-Control-Allow-Headers", headers)
		httpheader.AddVary(h, httpheader.AccessControlRequestHeaders)
	}
	h.Set("Access-Control-Max-Age", o.maxAge)
	ctx.SetStatusCode(fasthttp.StatusNoContent)
}

// preflightAge is how long a browser may remember a preflight's answer; two hours is the most that
// Chromium takes.
const preflightAge = 2 * time.Hour

func isPreflight(ctx *fasthttp.RequestCtx) bool {
	return ctx.IsOptions() && len(httpheader.Value(&ctx.Request.Header, httpheader.Origin)) > 0
}
