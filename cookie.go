package engineio

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"github.com/valyala/fasthttp"
)

// Cookie is the cookie with the session id. It is set by the response that opens the session:
// the first of long-polling, or the 101.
type Cookie struct {
	// Name of the cookie. Default: "io".
	Name string
	// Path it is sent for. Default: "/".
	Path string
	// Domain it is sent to. Default: the host that set it.
	Domain string
	// MaxAge is how long it is kept, in whole seconds. Default: until the browser closes.
	MaxAge time.Duration
	// SameSite is one of fasthttp's constants. Default: Lax. None implies Secure.
	SameSite fasthttp.CookieSameSite
	// Secure keeps it off plain HTTP. Default: false, and it is secure where the client came
	// by TLS (see TrustedProxies).
	Secure bool
	// ScriptAccess lets the page's scripts read it. Default: false, it is HttpOnly.
	ScriptAccess bool
}

func (c Cookie) withDefaults() Cookie {
	c.Name = cmp.Or(c.Name, "io")
	c.Path = cmp.Or(c.Path, "/")
	c.SameSite = cmp.Or(c.SameSite, fasthttp.CookieSameSiteLaxMode)
	return c
}

// check panics on what would break the header.
func (c *Cookie) check() {
	if strings.ContainsAny(c.Name, "=;, \t\r\n\"") {
		panic("engineio: Config.Cookie.Name is " + strconv.Quote(c.Name))
	}
	if strings.ContainsAny(c.Path+c.Domain, ";,\r\n") {
		panic("engineio: Config.Cookie.Path or Domain has a separator")
	}
}

// set adds the cookie to a response.
func (c *Cookie) set(h *fasthttp.ResponseHeader, id string, secure bool) {
	cookie := fasthttp.AcquireCookie()
	defer fasthttp.ReleaseCookie(cookie)
	cookie.SetKey(c.Name)
	cookie.SetValue(id)
	cookie.SetPath(c.Path)
	cookie.SetDomain(c.Domain)
	cookie.SetMaxAge(int(c.MaxAge.Seconds()))
	cookie.SetSecure(c.Secure || secure)
	cookie.SetSameSite(c.SameSite)
	cookie.SetHTTPOnly(!c.ScriptAccess)
	h.SetCookie(cookie)
}
