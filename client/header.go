package client

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"sync"

	"github.com/valyala/fasthttp"
)

// reserved are the header fields that say how a request is carried.
var reserved = []string{
	"Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Accept-Encoding", "Upgrade",
	"Sec-Websocket-Key", "Sec-Websocket-Version", "Sec-Websocket-Extensions",
}

func checkHeader(h http.Header) error {
	for _, name := range reserved {
		if _, ok := h[name]; ok {
			return fmt.Errorf("client: header field %s is not for the application to set", name)
		}
	}
	return nil
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

// header is what the application wants a request to carry, and the cookies.
func (c *Client) header(ctx context.Context) (http.Header, error) {
	h := c.o.Header.Clone()
	if h == nil {
		h = make(http.Header)
	}
	if c.o.HeaderFunc != nil {
		if err := c.o.HeaderFunc(ctx, h); err != nil {
			return nil, fmt.Errorf("HeaderFunc: %w", err)
		}
		if err := checkHeader(h); err != nil {
			return nil, err
		}
	}
	if _, ok := h["User-Agent"]; !ok {
		h.Set("User-Agent", "fasteio-engineio")
	}
	if c.target.auth != "" && h.Get("Authorization") == "" {
		h.Set("Authorization", c.target.auth)
	}
	if jar := c.cookies.get(); jar != nil {
		r := http.Request{Header: h}
		for _, cookie := range jar.Cookies(c.target.url) {
			r.AddCookie(cookie)
		}
	}
	return h, nil
}

// setHeader gives a request its header. The request URI stays as it is, not normalised.
func (c *Client) setHeader(ctx context.Context, r *fasthttp.Request) error {
	h, err := c.header(ctx)
	if err != nil {
		return err
	}
	r.Header.SetHost(c.target.url.Host)
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
	if !c.o.DisableCompression {
		r.Header.Set("Accept-Encoding", "gzip, deflate, br, zstd")
	}
	return nil
}
