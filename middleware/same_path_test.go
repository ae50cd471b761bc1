package middleware

import (
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// A 304 and the answer to HEAD have the validators and the Vary of the 200 to GET, or caches take them for another.
func TestCompressedStaticSaysTheSame(t *testing.T) {
	dir := tree(t, map[string]string{"a.js": strings.Repeat("var a = 1;\n", 500)})
	s := newSite(t, Compress(CompressConfig{})(Static(StaticFiles{"/": {Name: dir}})(next)))
	for _, accept := range []string{"gzip", "identity"} {
		full := s.do("GET", "/a.js", "Accept-Encoding", accept)
		if header(full, "Vary") == "" || strings.HasPrefix(header(full, "ETag"), "W/") != (accept == "gzip") {
			t.Fatalf("GET: %v", &full.Header)
		}
		for what, resp := range map[string]*fasthttp.Response{
			"If-None-Match":     s.do("GET", "/a.js", "Accept-Encoding", accept, "If-None-Match", header(full, "ETag")),
			"If-Modified-Since": s.do("GET", "/a.js", "Accept-Encoding", accept, "If-Modified-Since", header(full, "Last-Modified")),
			"HEAD":              s.do("HEAD", "/a.js", "Accept-Encoding", accept),
		} {
			if want := map[bool]int{true: 200, false: 304}[what == "HEAD"]; resp.StatusCode() != want {
				t.Errorf("%s: %d", what, resp.StatusCode())
			}
			for _, name := range []string{"ETag", "Vary"} {
				if header(resp, name) != header(full, name) {
					t.Errorf("%s, %s: %s is %q, the 200 has %q", accept, what, name, header(resp, name), header(full, name))
				}
			}
		}
	}
	get := newSite(t, Compress(CompressConfig{})(html)).do("GET", "/", "Accept-Encoding", "gzip")
	head := newSite(t, Compress(CompressConfig{})(html)).do("HEAD", "/", "Accept-Encoding", "gzip")
	if header(head, "Content-Encoding") != "gzip" || head.Header.ContentLength() != get.Header.ContentLength() {
		t.Errorf("HEAD: %v, GET: %v", &head.Header, &get.Header)
	}
}

func TestStaticRangeIsForGet(t *testing.T) {
	s := newSite(t, Static(StaticFiles{"/": {Name: tree(t, map[string]string{"a.txt": "0123456789"})}})(next))
	for asked, want := range map[string]int{
		"bytes=2-3": 206, "bytes=50-": 416, "bytes=2-99999999999999999999": 206, "bytes=-99999999999999999999": 206,
		"bytes=99999999999999999999-": 416, "bytes=00000000000000000000002-3": 206,
	} {
		if got := s.do("GET", "/a.txt", "Range", asked).StatusCode(); got != want {
			t.Errorf("GET %s: %d, want %d", asked, got, want)
		}
		if got := s.do("HEAD", "/a.txt", "Range", asked); got.StatusCode() != 200 || got.Header.ContentLength() != 10 {
			t.Errorf("HEAD %s: %d", asked, got.StatusCode())
		}
	}
}

// CORS stands outside of Recover: the panic of its hook must not reach fasthttp, which does not recover.
func TestCORSAllowOriginPanics(t *testing.T) {
	h := CORS(CORSConfig{AllowOrigin: func(*fasthttp.RequestCtx, string) bool { panic("test") }})(html)
	for _, method := range []string{"GET", "OPTIONS"} {
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetMethod(method)
		ctx.Request.Header.Set("Origin", "https://example.com")
		ctx.Request.Header.Set("Access-Control-Request-Method", "GET")
		h(&ctx)
		if got := header(&ctx.Response, "Access-Control-Allow-Origin"); got != "" {
			t.Errorf("%s: allowed %q", method, got)
		}
	}
}
