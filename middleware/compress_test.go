package middleware

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/fasteio/engineio/internal/compress"
	"github.com/valyala/fasthttp"
)

var page = []byte(strings.Repeat("<p>The quick brown fox jumps over the lazy dog.</p>\n", 200))

func html(ctx *fasthttp.RequestCtx) {
	ctx.SetContentType("text/html; charset=utf-8")
	ctx.SetBody(page)
}

// plain returns the body of a response after decoding, and its coding.
func plain(t *testing.T, resp *fasthttp.Response) (body []byte, coding string) {
	t.Helper()
	e, ok := compress.Parse(resp.Header.ContentEncoding())
	if !ok {
		t.Fatalf("coding %q", resp.Header.ContentEncoding())
	}
	body, err := compress.AppendDecompressed(nil, resp.Body(), e, 1<<24)
	if err != nil {
		t.Fatal(err)
	}
	return body, e.String()
}

func TestCompressNegotiates(t *testing.T) {
	tests := []struct {
		prefer       []string
		accept, want string
	}{
		{nil, "", ""},
		{nil, "gzip", "gzip"},
		{nil, "deflate", "deflate"},
		{nil, "br", "br"},
		{nil, "zstd", "zstd"},
		{nil, "gzip, deflate, br, zstd", "zstd"},
		{nil, "gzip;q=0.5, deflate, br;q=0.9", "deflate"},
		{nil, "gzip;q=0", ""},
		{nil, "*", "zstd"},
		{[]string{"br", "gzip"}, "gzip, deflate, br, zstd", "br"},
		{[]string{"br", "gzip"}, "zstd", ""},
	}
	for _, tt := range tests {
		s := newSite(t, Compress(CompressConfig{Prefer: tt.prefer})(html))
		var h []string
		if tt.accept != "" {
			h = []string{"Accept-Encoding", tt.accept}
		}
		resp := s.do("GET", "/", h...)
		body, coding := plain(t, resp)
		if coding != tt.want || !bytes.Equal(body, page) {
			t.Errorf("%v, %q: %q, %d bytes; want %q", tt.prefer, tt.accept, coding, len(body), tt.want)
		}
		if tt.want != "" && len(resp.Body()) > len(page)/4 {
			t.Errorf("%q: %d bytes of %d", coding, len(resp.Body()), len(page))
		}
		if header(resp, "Vary") != "Accept-Encoding" {
			t.Errorf("Vary: %q", header(resp, "Vary"))
		}
	}
}

func TestCompressSkips(t *testing.T) {
	small := CompressConfig{Threshold: len(page) + 1}
	with := func(f handler) handler {
		return func(ctx *fasthttp.RequestCtx) { html(ctx); f(ctx) }
	}
	set := func(name, value string) handler {
		return with(func(ctx *fasthttp.RequestCtx) { ctx.Response.Header.Set(name, value) })
	}
	status := func(code int) handler { return with(func(ctx *fasthttp.RequestCtx) { ctx.SetStatusCode(code) }) }
	random := bytes.Repeat([]byte{0}, 2000)
	for i := range random {
		random[i] = byte(i * i * 2654435761 >> 13)
	}
	tests := map[string]struct {
		config CompressConfig
		h      handler
		method string
		header []string
		varies bool
	}{
		"below the threshold": {small, html, "GET", nil, false},
		"already coded":       {CompressConfig{}, set("Content-Encoding", "identity"), "GET", nil, false},
		"a picture":           {CompressConfig{}, set("Content-Type", "image/png"), "GET", nil, false},
		"no type":             {CompressConfig{}, set("Content-Type", "x"), "GET", nil, false},
		"other type":          {CompressConfig{Types: []string{"application/json"}}, html, "GET", nil, false},
		"no-transform":        {CompressConfig{}, set("Cache-Control", "private, No-Transform"), "GET", nil, false},
		"no-transform in a second line": {CompressConfig{}, func(ctx *fasthttp.RequestCtx) {
			ctx.Response.Header.Set("Cache-Control", "private")
			ctx.Response.Header.Add("Cache-Control", "no-transform")
			html(ctx)
		}, "GET", nil, false},
		"no-transform by request":  {CompressConfig{}, html, "GET", []string{"Cache-Control", "no-transform"}, false},
		"part":                     {CompressConfig{}, status(206), "GET", nil, false},
		"not modified":             {CompressConfig{}, status(304), "GET", nil, true},
		"no content":               {CompressConfig{}, status(204), "GET", nil, false},
		"HEAD below the threshold": {small, html, "HEAD", nil, false},
		"does not get smaller": {CompressConfig{Threshold: -1}, with(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyString("x")
		}), "GET", nil, true},
		"empty": {CompressConfig{Threshold: -1}, with(func(ctx *fasthttp.RequestCtx) { ctx.ResetBody() }), "GET", nil, false},
		"stream of unknown size": {CompressConfig{}, with(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyStream(bytes.NewReader(page), -1)
		}), "GET", nil, false},
		"large stream": {CompressConfig{MaxStream: 2000}, with(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyStream(bytes.NewReader(page), len(page))
		}), "GET", nil, false},
		"streams off": {CompressConfig{MaxStream: -1}, with(func(ctx *fasthttp.RequestCtx) {
			ctx.SetBodyStream(bytes.NewReader(page), len(page))
		}), "GET", nil, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			plain := newSite(t, tt.h).do(tt.method, "/", tt.header...)
			coded := newSite(t, Compress(tt.config)(tt.h)).do(tt.method, "/", append(tt.header, "Accept-Encoding", "gzip")...)
			if !bytes.Equal(plain.Body(), coded.Body()) || header(plain, "Content-Encoding") != header(coded, "Content-Encoding") ||
				plain.Header.ContentLength() != coded.Header.ContentLength() || plain.StatusCode() != coded.StatusCode() {
				t.Errorf("without:\n%vwith:\n%v", &plain.Header, &coded.Header)
			}
			if varies := header(coded, "Vary") != ""; varies != tt.varies {
				t.Errorf("Vary: %q", header(coded, "Vary"))
			}
		})
	}
}

func TestCompressTypes(t *testing.T) {
	tests := []struct {
		types []string
		value string
		want  bool
	}{
		{nil, "text/plain", true},
		{nil, "TEXT/HTML; charset=utf-8", true},
		{nil, "application/json", true},
		{nil, "application/problem+json", true},
		{nil, "image/svg+xml", true},
		{nil, "application/octet-stream", false},
		{nil, "application/zip", false},
		{nil, "font/woff2", false},
		{nil, "video/mp4", false},
		{nil, "", false},
		{[]string{"application/x-own"}, "application/x-own;v=1", true},
		{[]string{"application/x-own"}, "text/plain", false},
		{[]string{"Video/*"}, "video/mp4", true},
		{[]string{"*+zip"}, "application/epub+zip", true},
		{[]string{"*/*"}, "anything/goes", true},
	}
	for _, tt := range tests {
		z := newCompressing(CompressConfig{Types: tt.types})
		if got := z.compressible([]byte(tt.value)); got != tt.want {
			t.Errorf("%v %q: %v", tt.types, tt.value, got)
		}
	}
}

func TestCompressHeaders(t *testing.T) {
	for tag, want := range map[string]string{`"strong"`: `W/"strong"`, `W/"weak"`: `W/"weak"`, "": ""} {
		s := newSite(t, Compress(CompressConfig{})(func(ctx *fasthttp.RequestCtx) {
			html(ctx)
			if tag != "" {
				ctx.Response.Header.Set("ETag", tag)
			}
			ctx.Response.Header.Set("Accept-Ranges", "bytes")
			ctx.Response.Header.Set("Vary", "Origin")
		}))
		resp := s.do("GET", "/", "Accept-Encoding", "gzip")
		if got := header(resp, "ETag"); got != want {
			t.Errorf("ETag %q becomes %q, want %q", tag, got, want)
		}
		vary := header(resp, "Vary")
		if header(resp, "Accept-Ranges") != "" || !strings.Contains(vary, "Origin") || !strings.Contains(vary, "Accept-Encoding") {
			t.Errorf("%v", &resp.Header)
		}
	}
}

type stream struct {
	io.Reader
	closed *bool
	err    error
}

func (s stream) Close() error { *s.closed = true; return s.err }

func TestCompressStream(t *testing.T) {
	tests := map[string]struct {
		r      io.Reader
		close  error
		status int
	}{
		"whole":       {bytes.NewReader(page), nil, 200},
		"too long":    {io.MultiReader(bytes.NewReader(page), strings.NewReader("more")), nil, 200},
		"too short":   {bytes.NewReader(page[1:]), nil, 500},
		"read fails":  {io.MultiReader(bytes.NewReader(page[1:]), failing{}), nil, 500},
		"close fails": {bytes.NewReader(page), errors.New("secret"), 500},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			closed := false
			s := newSite(t, Compress(CompressConfig{})(func(ctx *fasthttp.RequestCtx) {
				html(ctx)
				ctx.SetBodyStream(stream{tt.r, &closed, tt.close}, len(page))
			}))
			resp := s.do("GET", "/", "Accept-Encoding", "br")
			if resp.StatusCode() != tt.status || !closed {
				t.Fatalf("status %d, closed %v", resp.StatusCode(), closed)
			}
			body, coding := plain(t, resp)
			if tt.status == 200 && (coding != "br" || !bytes.Equal(body, page)) || bytes.Contains(body, []byte("secret")) {
				t.Errorf("%q, %d bytes", coding, len(body))
			}
		})
	}
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errors.New("secret") }

func TestCompressConcurrent(t *testing.T) {
	s := newSite(t, Compress(CompressConfig{})(html))
	s.client.MaxConnsPerHost = 64
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for range 20 {
				coding := []string{"gzip", "br", "zstd", "deflate"}[i%4]
				if body, got := plain(t, s.do("GET", "/", "Accept-Encoding", coding)); got != coding || !bytes.Equal(body, page) {
					t.Errorf("%s: %s, %d bytes", coding, got, len(body))
				}
			}
		})
	}
	wg.Wait()
}

func TestCompressMisconfigured(t *testing.T) {
	for want, config := range map[string]CompressConfig{
		"gzip level":    {CompressionLevels: CompressionLevels{Gzip: 10}},
		"br level":      {CompressionLevels: CompressionLevels{Brotli: 11}},
		"zstd level":    {CompressionLevels: CompressionLevels{Zstd: -1}},
		"deflate level": {CompressionLevels: CompressionLevels{Deflate: 99}},
		"snappy":        {Prefer: []string{"snappy"}},
		"identity":      {Prefer: []string{"identity"}},
		"twice":         {Prefer: []string{"gzip", "x-gzip"}},
		"text is not":   {Types: []string{"text"}},
		"*/json":        {Types: []string{"*/json"}},
		"text/html;":    {Types: []string{"text/html; charset=utf-8"}},
	} {
		mustPanic(t, want, func() { Compress(config) })
	}
}

func BenchmarkCompress(b *testing.B) {
	for _, coding := range []string{"identity", "gzip", "br", "zstd"} {
		b.Run(coding, func(b *testing.B) {
			h := Compress(CompressConfig{})(html)
			ctx := &fasthttp.RequestCtx{}
			ctx.Request.Header.Set("Accept-Encoding", coding)
			b.ReportAllocs()
			for b.Loop() {
				ctx.Response.Reset()
				h(ctx)
			}
		})
	}
}
