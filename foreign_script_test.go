package engineio

import (
	"testing"

	"github.com/valyala/fasthttp"
)

// JSONP is a script, and a page of another site that may connect can run it whatever a middleware says of others.
func TestJSONPIsAScript(t *testing.T) {
	for _, c := range []struct {
		name   string
		config Config
		header []string
		status int
		policy string
	}{
		{"this site", Config{}, []string{"Sec-Fetch-Site: same-origin"}, 200, "same-origin"},
		{"an allowed site", Config{AllowedOrigins: []string{"https://app.example"}}, []string{"Referer: https://app.example/"}, 200, "cross-origin"},
		{"all sites", Config{AllowedOrigins: []string{"*"}}, []string{"Sec-Fetch-Site: cross-site"}, 200, "cross-origin"},
		{"a foreign site", Config{}, []string{"Referer: https://evil.example/"}, 403, "same-origin"},
	} {
		ctx := incoming("GET", "EIO=3&transport=polling&j=0&b64=1", c.header...)
		ctx.Response.Header.Set("Cross-Origin-Resource-Policy", "same-origin")
		srv := newTestServer(c.config)
		srv.ServeFastHTTP(ctx)
		h := &ctx.Response.Header
		if got := string(h.Peek("Cross-Origin-Resource-Policy")); got != c.policy || h.StatusCode() != c.status {
			t.Errorf("%s: answered %d, policy %q", c.name, h.StatusCode(), got)
		}
		if got := string(h.ContentType()); c.status == 200 && got != "text/javascript; charset=UTF-8" {
			t.Errorf("%s: Content-Type %q", c.name, got)
		}
		shut(srv)
	}
}

// A sandboxed frame of any page has the origin "null".
func TestNullOrigin(t *testing.T) {
	for _, c := range []struct {
		config Config
		status int
	}{
		{Config{}, 403},
		{Config{AllowedOrigins: []string{"https://app.example"}}, 403},
		{Config{AllowedOrigins: []string{"null"}}, 200},
		{Config{AllowedOrigins: []string{"*"}}, 200},
		{Config{AllowCredentials: true, AllowOrigin: func(_ *fasthttp.RequestCtx, o string) bool { return o == "null" }}, 200},
	} {
		if got := visit(t, newTestServer(c.config), "GET", handshake4, "Origin: null").Response.StatusCode(); got != c.status {
			t.Errorf("%q: %d, want %d", c.config.AllowedOrigins, got, c.status)
		}
	}
	o, err := newOrigins(Config{AllowedOrigins: []string{"*"}, AllowCredentials: true}, proxies{})
	if err != nil || o.knows(incoming("GET", handshake4), "null") {
		t.Errorf("* with credentials knows null, %v", err)
	}
	if !refused(func() { New(Config{AllowedOrigins: []string{"null"}, AllowCredentials: true}) }) {
		t.Error("null goes with AllowCredentials")
	}
}
