package middleware

import (
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// corsHeaders are those that CORS may set, in the order of the tables.
var corsHeaders = []string{
	"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers",
	"Access-Control-Allow-Methods", "Access-Control-Allow-Headers", "Access-Control-Max-Age", "Vary",
}

func expectCORS(t *testing.T, resp *fasthttp.Response, want map[string]string) {
	t.Helper()
	for _, name := range corsHeaders {
		if got := header(resp, name); got != want[name] {
			t.Errorf("%s: %q, want %q", name, got, want[name])
		}
	}
}

func TestCORSRequest(t *testing.T) {
	listed := CORSConfig{AllowedOrigins: []string{"https://a.test", "https://*.b.test"}}
	withAll := CORSConfig{AllowedOrigins: listed.AllowedOrigins, AllowCredentials: true, ExposedHeaders: []string{"X-One", "X-Two"}, MaxAge: time.Hour}
	byFunc := CORSConfig{AllowOrigin: func(ctx *fasthttp.RequestCtx, origin string) bool {
		return origin == "null" && string(ctx.Path()) == "/"
	}, AllowCredentials: true}
	everyone := CORSConfig{AllowedOrigins: []string{"*"}, ExposedHeaders: []string{"X-One"}}
	tests := map[string]struct {
		config CORSConfig
		origin string
		want   map[string]string
	}{
		"exact": {listed, "https://a.test", map[string]string{"Access-Control-Allow-Origin": "https://a.test", "Vary": "Origin"}},
		"subdomain": {listed, "https://x.b.test", map[string]string{
			"Access-Control-Allow-Origin": "https://x.b.test", "Vary": "Origin",
		}},
		"refused": {withAll, "https://evil.test", map[string]string{"Vary": "Origin"}},
		"null":    {withAll, "null", map[string]string{"Vary": "Origin"}},
		"absent":  {withAll, "", map[string]string{"Vary": "Origin"}},
		"all options": {withAll, "https://a.test", map[string]string{
			"Access-Control-Allow-Origin": "https://a.test", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Expose-Headers": "X-One, X-Two", "Vary": "Origin",
		}},
		"func": {byFunc, "null", map[string]string{
			"Access-Control-Allow-Origin": "null", "Access-Control-Allow-Credentials": "true", "Vary": "Origin",
		}},
		"func refuses": {byFunc, "https://a.test", map[string]string{"Vary": "Origin"}},
		"any": {everyone, "https://a.test", map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-One",
		}},
		"any, absent": {everyone, "", map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "X-One",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, CORS(tt.config)(func(ctx *fasthttp.RequestCtx) { ctx.Error("wiped", 418) }))
			var h []string
			if tt.origin != "" {
				h = []string{"Origin", tt.origin}
			}
			for _, method := range []string{"GET", "POST", "OPTIONS"} { // OPTIONS alone is no preflight
				resp := s.do(method, "/", h...)
				if resp.StatusCode() != 418 {
					t.Errorf("%s did not reach the handler: %d", method, resp.StatusCode())
				}
				expectCORS(t, resp, tt.want)
			}
		})
	}
}

func TestCORSPreflight(t *testing.T) {
	const defaults = "GET, HEAD, PUT, PATCH, POST, DELETE"
	tests := map[string]struct {
		config CORSConfig
		want   map[string]string
	}{
		"defaults": {CORSConfig{AllowedOrigins: []string{"https://a.test"}}, map[string]string{
			"Access-Control-Allow-Origin": "https://a.test", "Access-Control-Allow-Methods": defaults,
			"Access-Control-Allow-Headers": "X-Asked", "Vary": "Origin, Access-Control-Request-Headers",
		}},
		"any": {CORSConfig{AllowedOrigins: []string{"*"}}, map[string]string{
			"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Methods": defaults,
			"Access-Control-Allow-Headers": "X-Asked", "Vary": "Access-Control-Request-Headers",
		}},
		"all options": {CORSConfig{
			AllowedOrigins: []string{"https://a.test"}, AllowCredentials: true, Methods: []string{"GET", "PURGE"},
			Headers: []string{"X-A", "X-B"}, ExposedHeaders: []string{"X-C"}, MaxAge: 90 * time.Second,
		}, map[string]string{
			"Access-Control-Allow-Origin": "https://a.test", "Access-Control-Allow-Credentials": "true",
			"Access-Control-Allow-Methods": "GET, PURGE", "Access-Control-Allow-Headers": "X-A, X-B",
			"Access-Control-Max-Age": "90", "Vary": "Origin",
		}},
		"no memory": {CORSConfig{AllowedOrigins: []string{"https://a.test"}, MaxAge: -1, Headers: []string{"X"}}, map[string]string{
			"Access-Control-Allow-Origin": "https://a.test", "Access-Control-Allow-Methods": defaults,
			"Access-Control-Allow-Headers": "X", "Access-Control-Max-Age": "0", "Vary": "Origin",
		}},
		"refused": {CORSConfig{AllowedOrigins: []string{"https://b.test"}, AllowCredentials: true, MaxAge: time.Hour}, map[string]string{
			"Vary": "Origin, Access-Control-Request-Headers",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, CORS(tt.config)(func(*fasthttp.RequestCtx) { t.Error("the handler was called") }))
			resp := s.do("OPTIONS", "/", "Origin", "https://a.test",
				"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "X-Asked")
			if resp.StatusCode() != 204 || len(resp.Body()) > 0 || header(resp, "Content-Type") != "" {
				t.Errorf("status %d, %d bytes of %q", resp.StatusCode(), len(resp.Body()), header(resp, "Content-Type"))
			}
			expectCORS(t, resp, tt.want)
		})
	}
}

func TestCORSLeavesHandlersDecision(t *testing.T) {
	s := newSite(t, CORS(CORSConfig{AllowedOrigins: []string{"https://a.test"}, AllowCredentials: true})(func(ctx *fasthttp.RequestCtx) {
		ctx.Response.Header.Set("Access-Control-Allow-Origin", "*")
	}))
	expectCORS(t, s.do("GET", "/", "Origin", "https://a.test"), map[string]string{
		"Access-Control-Allow-Origin": "*", "Vary": "Origin",
	})
}

func TestCORSMisconfigured(t *testing.T) {
	allow := func(*fasthttp.RequestCtx, string) bool { return true }
	for want, config := range map[string]CORSConfig{
		"neither AllowedOrigins nor AllowOrigin": {AllowCredentials: true},
		"Credentials":                            {AllowedOrigins: []string{"*"}, AllowCredentials: true},
		"never be asked":                         {AllowedOrigins: []string{"*"}, AllowOrigin: allow},
		`"https://a.test/"`:                      {AllowedOrigins: []string{"https://a.test/"}},
		`"null"`:                                 {AllowedOrigins: []string{"null"}, AllowCredentials: true},
		"Methods":                                {AllowedOrigins: []string{"*"}, Methods: []string{"GET, POST"}},
		"Headers":                                {AllowedOrigins: []string{"*"}, Headers: []string{"X-A\r\nX-B"}},
		"ExposedHeaders":                         {AllowedOrigins: []string{"*"}, ExposedHeaders: []string{""}},
	} {
		mustPanic(t, want, func() { CORS(config) })
	}
	CORS(CORSConfig{AllowOrigin: allow, AllowCredentials: true}) // reflecting everybody must be said like this
}
