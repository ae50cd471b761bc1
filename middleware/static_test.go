package middleware

import (
	"bufio"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

// tree writes files below a new directory and returns it. A value that starts with "->" is a link.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		if target, link := strings.CutPrefix(content, "->"); link {
			err = os.Symlink(target, full)
		} else {
			err = os.WriteFile(full, []byte(content), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func next(ctx *fasthttp.RequestCtx) {
	ctx.SetStatusCode(404)
	ctx.SetBodyString("next")
}

func TestStaticRules(t *testing.T) {
	dir := tree(t, map[string]string{
		"latency.html": "latency", "secret": "secret", "public/index.html": "index", "public/image.gif": "gif",
		"public/css/a.css": "css", "public/css/index.html": "css index", "public/noext": "noext", "public/a b%2f.txt": "odd",
		"public/.env": "hidden", "public/.git/config": "hidden", "public/.well-known/security.txt": "known",
		"public/UPPER.JSON": "{}", "deep/index.html": "deep", "deep/x.js": "js",
	})
	in := func(name string) string { return filepath.Join(dir, name) }
	rules := StaticFiles{
		"/":               {Name: in("latency.html")},
		"/typed":          {Name: in("latency.html"), ContentType: "text/x-own"},
		"/static":         {Name: in("public")},
		"/slash/":         {Name: in("public")},
		"/static/deep":    {Name: in("deep"), ContentType: "text/plain"},
		"/env":            {Name: in("public/.env")},
		"/gone":           {Name: in("gone.html")},
		"/gone-dir":       {Name: in("gone")},
		"/dir-as-file":    {Name: in("public")},
		"/both":           {Name: in("public")},
		"/both/":          {Name: in("latency.html")},
		"/static/own.css": {Name: in("latency.html")},
	}
	s := newSite(t, Static(rules)(next))
	tests := []struct{ path, body, contentType string }{
		{"/", "latency", "text/html; charset=utf-8"},
		{"/?query=1", "latency", "text/html; charset=utf-8"},
		{"/typed", "latency", "text/x-own"},
		{"/static/", "index", "text/html; charset=utf-8"},
		{"/static/index.html", "index", "text/html; charset=utf-8"},
		{"/static/css/a.css", "css", "text/css; charset=utf-8"},
		{"/static/css/", "css index", "text/html; charset=utf-8"},
		{"/static/own.css", "latency", "text/html; charset=utf-8"},
		{"/static/noext", "noext", "application/octet-stream"},
		{"/static/UPPER.JSON", "{}", "application/json"},
		{"/static/a%20b%252f.txt", "odd", "text/plain; charset=utf-8"},
		{"/static/deep/", "deep", "text/plain"},
		{"/static/deep/x.js", "js", "text/plain"},
		{"/slash/image.gif", "gif", "image/gif"},
		{"/slash/", "index", "text/html; charset=utf-8"},
		{"/both/", "latency", "text/html; charset=utf-8"},
		{"/both/noext", "noext", "application/octet-stream"},
		{"/env", "hidden", "application/octet-stream"},
		{"/static/.well-known/security.txt", "known", "text/plain; charset=utf-8"},
		// The path is normalised before it is looked up.
		{"/x/../static/css/../noext", "noext", "application/octet-stream"},
		{"//static//noext", "noext", "application/octet-stream"},

		{"/static", "next", ""},
		{"/static/css", "next", ""},
		{"/static/none", "next", ""},
		{"/static/none/", "next", ""},
		{"/static/noext/", "next", ""},
		{"/static/noext/x", "next", ""},
		{"/staticx/noext", "next", ""},
		{"/latency.html", "next", ""}, // "/" is a file here, not a directory
		{"/slash", "next", ""},
		{"/gone", "next", ""},
		{"/gone-dir/x", "next", ""},
		{"/dir-as-file", "next", ""},
		{"/static/.env", "next", ""},
		{"/static/.git/config", "next", ""},
		{"/static/../secret", "next", ""},
		{"/static/..%2fsecret", "next", ""},
		{"/static/%2e%2e/secret", "next", ""},
		{"/static/%2e%2e%2fsecret", "next", ""},
		{"/static/css/%2e%2e/%2e%2e/secret", "next", ""},
		{"/static/..%252fsecret", "next", ""},
		{"/static/..\\secret", "next", ""},
		{"/static/%00", "next", ""},
		{"/static/noext%00.html", "next", ""},
	}
	for _, tt := range tests {
		resp := s.do("GET", tt.path)
		if tt.body == "next" {
			tt.contentType = "text/plain; charset=utf-8" // fasthttp's
		}
		if string(resp.Body()) != tt.body || header(resp, "Content-Type") != tt.contentType {
			t.Errorf("%s: %d %q %q, want %q %q", tt.path,
				resp.StatusCode(), resp.Body(), header(resp, "Content-Type"), tt.body, tt.contentType)
		}
	}
}

func TestStaticIndex(t *testing.T) {
	dir := tree(t, map[string]string{"image.gif": "gif", "index.html": "no"})
	s := newSite(t, Static(StaticFiles{"/": {Name: dir}, "": {Name: "image.gif", ContentType: "text/plain"}})(next))
	for path, contentType := range map[string]string{"/": "text/plain", "/image.gif": "image/gif"} {
		if resp := s.do("GET", path); string(resp.Body()) != "gif" || header(resp, "Content-Type") != contentType {
			t.Errorf("%s: %q %q", path, resp.Body(), header(resp, "Content-Type"))
		}
	}
}

func TestStaticLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("links need a privilege there")
	}
	outside := tree(t, map[string]string{"secret": "secret"})
	dir := tree(t, map[string]string{
		"real/file": "inside", "real/link": "->file", "real/up": "->../real/file",
		"real/out": "->" + filepath.Join(outside, "secret"), "real/outdir": "->" + outside,
		"linked": "->real", "named": "->" + filepath.Join(outside, "secret"), "real/loop": "->loop",
	})
	s := newSite(t, Static(StaticFiles{
		"/d": {Name: filepath.Join(dir, "linked")}, "/named": {Name: filepath.Join(dir, "named")},
	})(next))
	for path, want := range map[string]string{
		"/d/file": "inside", "/d/link": "inside", "/named": "secret",
		"/d/up":  "next", // leaves the directory on its way
		"/d/out": "next", "/d/outdir/secret": "next", "/d/loop": "next",
	} {
		if resp := s.do("GET", path); string(resp.Body()) != want {
			t.Errorf("%s: %q, want %q", path, resp.Body(), want)
		}
	}
}

// Without path normalisation the server hands the raw path on; it must not lead out either.
func TestStaticRawPaths(t *testing.T) {
	dir := tree(t, map[string]string{"secret": "secret", "public/a": "a"})
	ln := fasthttputil.NewInmemoryListener()
	h := Static(StaticFiles{"/static": {Name: filepath.Join(dir, "public")}})(next)
	srv := &fasthttp.Server{Logger: quiet{}, Handler: func(ctx *fasthttp.RequestCtx) {
		ctx.URI().DisablePathNormalizing = true
		ctx.URI().SetPathBytes(ctx.RequestURI())
		h(ctx)
	}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	for _, path := range []string{
		"/static/../secret", "/static//../../secret", "/static/./../secret", "/static/public/../../secret", "/../secret",
	} {
		c, err := ln.Dial()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if got, _ := io.ReadAll(bufio.NewReader(c)); !strings.HasSuffix(string(got), "next") {
			t.Errorf("%s: %q", path, got)
		}
	}
	_ = ln.Close()
	<-served
}

func TestStaticMethods(t *testing.T) {
	dir := tree(t, map[string]string{"a.txt": "hello"})
	s := newSite(t, Static(StaticFiles{"/": {Name: dir}})(next))
	resp := s.do("HEAD", "/a.txt")
	if resp.StatusCode() != 200 || len(resp.Body()) > 0 || resp.Header.ContentLength() != 5 {
		t.Errorf("HEAD: %d, %d bytes, length %d", resp.StatusCode(), len(resp.Body()), resp.Header.ContentLength())
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS"} {
		if resp := s.do(method, "/a.txt"); resp.StatusCode() != 404 {
			t.Errorf("%s: %d", method, resp.StatusCode())
		}
	}
}

func TestStaticConditions(t *testing.T) {
	dir := tree(t, map[string]string{"a.txt": "0123456789", "empty": ""})
	when := time.Date(2024, 2, 29, 12, 0, 0, 500, time.UTC)
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), when, when); err != nil {
		t.Fatal(err)
	}
	s := newSite(t, Static(StaticFiles{"/": {Name: dir}})(next))
	first := s.do("GET", "/a.txt")
	etag, modified := header(first, "ETag"), header(first, "Last-Modified")
	if etag == "" || modified != "Thu, 29 Feb 2024 12:00:00 GMT" || header(first, "Accept-Ranges") != "bytes" {
		t.Fatalf("%v", &first.Header)
	}
	const earlier, later = "Thu, 29 Feb 2024 11:59:59 GMT", "Fri, 01 Mar 2024 00:00:00 GMT"
	tests := []struct {
		name    string
		header  []string
		status  int
		body    string
		ofRange string
	}{
		{"same tag", []string{"If-None-Match", etag}, 304, "", ""},
		{"weak tag", []string{"If-None-Match", `"x", W/` + etag}, 304, "", ""},
		{"any tag", []string{"If-None-Match", "*"}, 304, "", ""},
		{"other tag", []string{"If-None-Match", `"x"`}, 200, "0123456789", ""},
		{"tag before date", []string{"If-None-Match", `"x"`, "If-Modified-Since", later}, 200, "0123456789", ""},
		{"same date", []string{"If-Modified-Since", modified}, 304, "", ""},
		{"later", []string{"If-Modified-Since", later}, 304, "", ""},
		{"earlier", []string{"If-Modified-Since", earlier}, 200, "0123456789", ""},
		{"no date", []string{"If-Modified-Since", "yesterday"}, 200, "0123456789", ""},
		{"range", []string{"Range", "bytes=2-4"}, 206, "234", "bytes 2-4/10"},
		{"rest", []string{"Range", "bytes=7-"}, 206, "789", "bytes 7-9/10"},
		{"tail", []string{"Range", "bytes=-2"}, 206, "89", "bytes 8-9/10"},
		{"long range", []string{"Range", "bytes=8-99"}, 206, "89", "bytes 8-9/10"},
		{"outside", []string{"Range", "bytes=10-"}, 416, "", "bytes */10"},
		{"nothing", []string{"Range", "bytes=-0"}, 416, "", "bytes */10"},
		{"two ranges", []string{"Range", "bytes=0-1,3-4"}, 200, "0123456789", ""},
		{"other unit", []string{"Range", "lines=0-1"}, 200, "0123456789", ""},
		{"if same tag", []string{"Range", "bytes=2-4", "If-Range", etag}, 206, "234", "bytes 2-4/10"},
		{"if weak tag", []string{"Range", "bytes=2-4", "If-Range", "W/" + etag}, 200, "0123456789", ""},
		{"if same date", []string{"Range", "bytes=2-4", "If-Range", modified}, 206, "234", "bytes 2-4/10"},
		{"if later", []string{"Range", "bytes=2-4", "If-Range", later}, 200, "0123456789", ""},
	}
	for _, tt := range tests {
		resp := s.do("GET", "/a.txt", tt.header...)
		if resp.StatusCode() != tt.status || string(resp.Body()) != tt.body || header(resp, "Content-Range") != tt.ofRange {
			t.Errorf("%s: %d %q %q", tt.name, resp.StatusCode(), resp.Body(), header(resp, "Content-Range"))
		}
		if tt.status == 304 && (header(resp, "ETag") != etag || header(resp, "Last-Modified") != modified) {
			t.Errorf("%s: 304 without its validators", tt.name)
		}
	}
	if resp := s.do("GET", "/empty"); resp.StatusCode() != 200 || len(resp.Body()) != 0 {
		t.Errorf("empty file: %d", resp.StatusCode())
	}
}

// A file may be far larger than a buffer, over a real socket, and Compress may sit around it.
func TestStaticLarge(t *testing.T) {
	dir := tree(t, map[string]string{
		"big.txt": strings.Repeat("0123456789abcdef", 1<<16), "small.txt": strings.Repeat("small ", 1000),
	})
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := Static(StaticFiles{"/": {Name: dir}})(next)
	srv := &fasthttp.Server{Logger: quiet{}, Handler: Compress(CompressConfig{MaxStream: 100_000})(h)}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	s := &site{t, &fasthttp.Client{Dial: func(string) (net.Conn, error) { return net.Dial("tcp4", ln.Addr().String()) }}}
	resp := s.do("GET", "/big.txt", "Accept-Encoding", "gzip")
	if len(resp.Body()) != 1<<20 || header(resp, "Content-Encoding") != "" {
		t.Errorf("%d bytes, %q", len(resp.Body()), header(resp, "Content-Encoding"))
	}
	resp = s.do("GET", "/small.txt", "Accept-Encoding", "gzip")
	if body, coding := plain(t, resp); len(body) != 6000 || coding != "gzip" || !strings.HasPrefix(header(resp, "ETag"), "W/") {
		t.Errorf("%d bytes, %q, %q", len(body), coding, header(resp, "ETag"))
	}
	if again := s.do("GET", "/small.txt", "If-None-Match", header(resp, "ETag")); again.StatusCode() != 304 {
		t.Errorf("the weakened tag is not recognised: %d", again.StatusCode())
	}
	s.client.CloseIdleConnections()
	_ = ln.Close()
	<-served
}

func TestStaticMisconfigured(t *testing.T) {
	for want, files := range map[string]StaticFiles{
		"no files":      {},
		"Name":          {"/": {}},
		`"static"`:      {"static": {Name: "x"}},
		`"/a/../b"`:     {"/a/../b": {Name: "x"}},
		`"/a//"`:        {"/a//": {Name: "x"}},
		"bare name":     {"": {Name: "../index.html"}},
		"the index \".": {"": {Name: "."}},
	} {
		mustPanic(t, want, func() { Static(files) })
	}
}

func BenchmarkStatic(b *testing.B) {
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte("hello"), 0o644); err != nil {
		b.Fatal(err)
	}
	h := Static(StaticFiles{"/": {Name: dir}})(next)
	ctx := &fasthttp.RequestCtx{}
	ctx.Request.SetRequestURI("/a.txt")
	b.ReportAllocs()
	for b.Loop() {
		ctx.Response.Reset()
		h(ctx)
	}
}
