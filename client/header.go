package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"slices"
	"sync"

	"github.com/valyala/fasthttp"
	"golang.org/x/net/http/httpguts"
)

// reserved are the header fields that say how a request is carried.
var reserved = []string{
	"Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Accept-Encoding", "Upgrade",
	"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions",
}

// canonical is a copy of h with its names spelled as net/http spells them, or says what is wrong with it. A map may
// be written with other spellings, and the two transports would not agree on them.
func canonical(h http.Header) (http.Header, error) {
	c := make(http.Header, len(h))
	for name, values := range h {
		spelled := http.CanonicalHeaderKey(name)
		if slices.Contains(reserved, spelled) {
			return nil, fmt.Errorf("client: header field %s is not for the application to set", spelled)
		}
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("client: header field name %.40q is invalid", name)
		}
		c[spelled] = c[spelled][:len(c[spelled]):len(c[spelled])] // there, even if it has no value
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return nil, fmt.Errorf("client: header field %s has an invalid value", spelled) // it may be a secret
			}
			if spelled == "Host" {
				var err error
				if v, err = hostHeader(v); err != nil {
					return nil, fmt.Errorf("client: header field Host: %w", err)
				}
			}
			c[spelled] = append(c[spelled], v)
		}
	}
	return c, nil
}

func basicAuth(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// cookies is the jar of a client. It is made when a server first sets a cookie, which most never do.
type cookies struct {
	mu  sync.Mutex
	jar http.CookieJar
}

func (c *cookies) get() http.CookieJar {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jar
}

// set keeps what a server at t has set.
func (c *cookies) set(t *target, lines []string) {
	if len(lines) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.jar == nil {
		c.jar, _ = cookiejar.New(nil) // cannot fail
	}
	response := http.Response{Header: http.Header{"Set-Cookie": lines}}
	c.jar.SetCookies(t.url, response.Cookies())
}

// applicationHeader is what the application wants requests to carry.
func (c *Client) applicationHeader(ctx context.Context) (http.Header, error) {
	h := c.o.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	if c.o.HeaderFunc == nil {
		return h, nil
	}
	if err := c.o.HeaderFunc(ctx, h); err != nil {
		return nil, fmt.Errorf("HeaderFunc: %w", err)
	}
	return canonical(h)
}

// requestHeader is what the application wants a request to carry, unless a redirect has led away from the server it
// is meant for, and the cookies.
func (s *session) requestHeader(ctx context.Context) (h http.Header, err error) {
	if s.target.otherOrigin {
		h = make(http.Header)
	} else if h, err = s.c.applicationHeader(ctx); err != nil {
		return nil, err
	}
	if _, ok := h["User-Agent"]; !ok {
		h.Set("User-Agent", "fasteio-engineio")
	}
	if s.target.auth != "" && h.Get("Authorization") == "" {
		h.Set("Authorization", s.target.auth)
	}
	if jar := s.c.cookies.get(); jar != nil {
		r := http.Request{Header: h}
		for _, cookie := range jar.Cookies(s.target.url) {
			r.AddCookie(cookie)
		}
	}
	return h, nil
}

// setHeader gives a request its header. The request URI stays as it is, not normalised.
func (s *session) setHeader(ctx context.Context, r *fasthttp.Request) error {
	h, err := s.requestHeader(ctx)
	if err != nil {
		return err
	}
	r.Header.SetHost(s.target.url.Host)
	for name, values := range h {
		for _, v := range values {
			switch name {
			case "Host":
				r.Header.SetHost(v)
			case "Cookie": // fasthttp would take it apart, and drop quotes and what is between them
				r.Header.DisableSpecialHeader()
				r.Header.Add(name, v)
				r.Header.EnableSpecialHeader()
			default:
				r.Header.Add(name, v)
			}
		}
	}
	if _, ok := h["Accept"]; !ok {
		r.Header.Set("Accept", "*/*")
	}
	if !s.c.o.DisableCompression {
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	}
	return nil
}
