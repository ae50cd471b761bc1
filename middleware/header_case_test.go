package middleware

import (
	"bufio"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/httpheader"
)

// What the middlewares look for in a request is found as a server without normalized names leaves it.
func TestHeadersInAnyCase(t *testing.T) {
	name := filepath.Join(t.TempDir(), "page.html")
	if err := os.WriteFile(name, []byte(strings.Repeat("page ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	h := Static(StaticFiles{"/": {Name: name}})(func(ctx *fasthttp.RequestCtx) { ctx.Error("none", 404) })
	h = Compress(CompressConfig{})(h)
	h = CORS(CORSConfig{AllowedOrigins: []string{"https://app.example"}})(h)
	ask := func(method string, lines ...string) *fasthttp.Response {
		ctx := new(fasthttp.RequestCtx)
		ctx.Request.Header.DisableNormalizing()
		ctx.Response.Header.DisableNormalizing()
		text := method + " / HTTP/1.1\r\nhost: a\r\n" + strings.Join(append(lines, "", ""), "\r\n")
		if err := ctx.Request.Header.Read(bufio.NewReader(strings.NewReader(text))); err != nil {
			t.Fatal(err)
		}
		h(ctx)
		return &ctx.Response
	}
	says := func(r *fasthttp.Response, name httpheader.Name) string {
		return string(httpheader.Value(&r.Header, name))
	}

	whole := ask("GET")
	tag, date := says(whole, httpheader.ETag), says(whole, "Last-Modified")
	for _, c := range []struct {
		what, method string
		lines        []string
		status       int
		name         httpheader.Name
		want         string
	}{
		{"origin", "GET", []string{"origin: https://app.example"}, 200, httpheader.AccessControlAllowOrigin, "https://app.example"},
		{
			"preflight", "OPTIONS",
			[]string{"origin: https://app.example", "access-control-request-method: PUT", "access-control-request-headers: x-a"},
			204, "Access-Control-Allow-Headers", "x-a",
		},
		{"accept-encoding", "GET", []string{"accept-encoding: gzip"}, 200, "Content-Encoding", "gzip"},
		{"cache-control", "GET", []string{"accept-encoding: gzip", "cache-control: no-transform"}, 200, "Content-Encoding", ""},
		{"range", "GET", []string{"range: bytes=0-3"}, 206, "Content-Range", "bytes 0-3/5000"},
		{"if-range", "GET", []string{"range: bytes=0-3", `if-range: "other"`}, 200, "Content-Range", ""},
		{"if-none-match", "GET", []string{"if-none-match: " + tag}, 304, httpheader.ETag, tag},
		{"if-none-match in two lines", "GET", []string{`If-None-Match: "other"`, "if-none-match: " + tag}, 304, httpheader.ETag, tag},
		{"if-modified-since", "GET", []string{"if-modified-since: " + date}, 304, httpheader.ETag, tag},
		{"if-modified-since long ago", "GET", []string{"if-modified-since: Mon, 01 Jan 2001 00:00:00 GMT"}, 200, httpheader.ETag, tag},
	} {
		r := ask(c.method, c.lines...)
		if got := says(r, c.name); r.StatusCode() != c.status || got != c.want {
			t.Errorf("%s: %d, %s %q; want %d, %q", c.what, r.StatusCode(), c.name, got, c.status, c.want)
		}
	}
}
