package middleware

import (
	"bytes"
	"io"
	"strings"
	"sync"

	"github.com/fasteio/engineio/internal/compress"
	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/valyala/fasthttp"
)

// CompressConfig configures Compress. The zero value works.
type CompressConfig struct {
	// Threshold is the smallest body to compress, in bytes. Default: 1024. Negative: compress all.
	Threshold int

	// MaxStream is the largest body stream to compress, in bytes; such a stream is read into memory.
	// Default: 1 MiB. Negative: leave all streams alone.
	MaxStream int

	// Prefer lists the codings to offer, best first, out of "zstd", "gzip", "br" and "deflate". It
	// decides where the client likes several equally well. Default: zstd, gzip, br, deflate.
	Prefer []string

	// CompressionLevels are the effort per coding. Default: see CompressionLevels.
	CompressionLevels CompressionLevels

	// Types are the media types to compress: "text/css", "text/*" or "*+json". Default: text/*, JSON,
	// XML, JavaScript, WebAssembly, SVG, uncompressed fonts and images, and *+json, *+xml, *+text.
	Types []string
}

// CompressionLevels are the effort per coding, from 1 (fast) up. Zero is the default of each. An
// engineio.CompressionLevels converts to it.
type CompressionLevels struct {
	Gzip    int // 1 to 9. Default: 5
	Deflate int // 1 to 9. Default: 5
	Brotli  int // 1 to 6. Default: 2
	Zstd    int // 1 to 3. Default: 1
}

var compressible = []string{
	"text/*", "*+json", "*+xml", "*+text",
	"application/json", "application/javascript", "application/x-javascript", "application/ecmascript",
	"application/xml", "application/wasm", "application/x-ndjson", "application/x-yaml", "application/yaml",
	"application/vnd.ms-fontobject", "application/x-font-ttf", "font/ttf", "font/otf", "font/collection",
	"image/bmp", "image/x-icon", "image/vnd.microsoft.icon",
}

const (
	defaultThreshold = 1024
	defaultMaxStream = 1 << 20
)

// Compress compresses the responses of the handlers inside with zstd, gzip, br or deflate, whichever
// the client likes best.
//
//	h = middleware.Compress(middleware.CompressConfig{})(h)
//
// At most GOMAXPROCS responses per coding are compressed at a time, the others wait; nothing is
// dropped however many there are, unlike with fasthttp.CompressHandler, which sends empty bodies when
// thousands are pending.
//
// Left as they are: responses with a Content-Encoding, of another content type or below the threshold,
// statuses without a body, 206, hijacked connections, responses or requests with
// Cache-Control: no-transform, and bodies that would not get smaller. A body stream is compressed if
// its size is known and at most MaxStream (files are); streams of unknown size are never held up, so
// server-sent events work.
//
// A compressed response gets Vary: Accept-Encoding, a weak ETag and loses Accept-Ranges, and so do the 304 and the
// answer to HEAD in its place. Vary is also
// set where only the client's choice made the difference. Do not compress responses that have a
// secret beside what an attacker can put in (the BREACH attack): set no-transform there.
func Compress(config CompressConfig) func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
	z := newCompressing(config)
	return func(next fasthttp.RequestHandler) fasthttp.RequestHandler {
		needNext("Compress", next)
		return func(ctx *fasthttp.RequestCtx) {
			next(ctx)
			switch {
			case ctx.Response.StatusCode() == fasthttp.StatusNotModified:
				z.revalidate(ctx)
			case z.eligible(ctx):
				z.compress(ctx)
			}
		}
	}
}

type compressing struct {
	*compress.Compressor
	threshold int
	maxStream int
	types     []string
	scratch   sync.Pool // *[]byte, see keepScratch
}

// keepScratch bounds what an idle scratch buffer may hold: one large page must not pin its size for
// ever.
const keepScratch = 64 << 10

func newCompressing(config CompressConfig) *compressing {
	z := &compressing{threshold: config.Threshold, maxStream: config.MaxStream, types: config.Types}
	if z.threshold == 0 {
		z.threshold = defaultThreshold
	}
	if z.maxStream == 0 {
		z.maxStream = defaultMaxStream
	}
	if len(z.types) == 0 {
		z.types = compressible
	}
	z.types = lowered(z.types)
	l := config.CompressionLevels
	o := compress.Options{GzipLevel: l.Gzip, DeflateLevel: l.Deflate, BrotliLevel: l.Brotli, ZstdLevel: l.Zstd}
	for _, token := range config.Prefer {
		e, ok := compress.Parse([]byte(token))
		if !ok || e == compress.Identity {
			panic("middleware: Compress: Prefer: " + token + " is not one of zstd, gzip, br and deflate")
		}
		o.Prefer = append(o.Prefer, e)
	}
	c, err := compress.New(o)
	if err != nil {
		panic("middleware: Compress: " + err.Error())
	}
	z.Compressor = c
	return z
}

func lowered(types []string) []string {
	out := make([]string, len(types))
	for i, t := range types {
		out[i] = strings.ToLower(t)
		main, sub, ok := strings.Cut(out[i], "/")
		suffix := strings.HasPrefix(out[i], "*+") && len(out[i]) > 2 && !ok
		if !suffix && (!ok || main == "" || sub == "" || strings.ContainsAny(out[i], "; ,") || main == "*" && sub != "*") {
			panic("middleware: Compress: Types: " + t + ` is not like "text/css", "text/*" or "*+json"`)
		}
	}
	return out
}

// eligible reports whether the response would be compressed for a client that accepts it.
func (z *compressing) eligible(ctx *fasthttp.RequestCtx) bool {
	resp := &ctx.Response
	switch status := resp.StatusCode(); {
	case ctx.Hijacked(), status < 200, status == fasthttp.StatusNoContent, status == fasthttp.StatusResetContent,
		status == fasthttp.StatusPartialContent, status == fasthttp.StatusNotModified:
		return false
	case len(resp.Header.ContentEncoding()) > 0, !z.compressible(resp.Header.ContentType()):
		return false
	case noTransform(&resp.Header), noTransform(&ctx.Request.Header):
		return false
	case resp.IsBodyStream():
		size := resp.Header.ContentLength()
		return size >= z.threshold && size >= 0 && size <= z.maxStream
	case ctx.IsHead():
		// The size of the body a GET would get is in the header, if anywhere.
		return max(len(resp.Body()), resp.Header.ContentLength()) >= z.threshold
	}
	return len(resp.Body()) >= z.threshold && len(resp.Body()) > 0
}

func noTransform(h httpheader.Header) bool {
	return httpheader.HasToken(httpheader.Value(h, httpheader.CacheControl), "no-transform")
}

func (z *compressing) compressible(contentType []byte) bool {
	if i := bytes.IndexByte(contentType, ';'); i >= 0 {
		contentType = contentType[:i]
	}
	contentType = bytes.ToLower(bytes.TrimSpace(contentType))
	for _, t := range z.types {
		switch {
		case t == "*/*", t == string(contentType):
			return true
		case t[0] == '*':
			if bytes.HasSuffix(contentType, []byte(t[1:])) {
				return true
			}
		case t[len(t)-1] == '*':
			if bytes.HasPrefix(contentType, []byte(t[:len(t)-1])) {
				return true
			}
		}
	}
	return false
}

func (z *compressing) compress(ctx *fasthttp.RequestCtx) {
	resp := &ctx.Response
	httpheader.AddVary(&resp.Header, httpheader.AcceptEncoding)
	e := z.Negotiate(httpheader.Value(&ctx.Request.Header, httpheader.AcceptEncoding))
	if e == compress.Identity {
		return
	}
	if ctx.IsHead() && !resp.IsBodyStream() && len(resp.Body()) == 0 { // the handler has spared itself the body
		resp.Header.Del(fasthttp.HeaderAcceptRanges)
		weaken(&resp.Header)
		return
	}
	if resp.IsBodyStream() && !readStream(resp) {
		ctx.Error("Internal Server Error", fasthttp.StatusInternalServerError)
		return
	}

	buf, _ := z.scratch.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	body := resp.Body()
	*buf = z.Append((*buf)[:0], body, e)
	if len(*buf) < len(body) {
		resp.SetBody(*buf)
		resp.Header.SetContentEncoding(e.String())
		resp.Header.Del(fasthttp.HeaderAcceptRanges) // ranges would be those of the plain body
		weaken(&resp.Header)
	}
	if cap(*buf) <= keepScratch {
		z.scratch.Put(buf)
	}
}

// revalidate gives a 304 what the 200 has: caches look up by Vary which of their responses it is about, and by the ETag
// whether it is that one. Whether the 200 was compressed is what the client's own tag tells; a weak tag is never wrong.
func (z *compressing) revalidate(ctx *fasthttp.RequestCtx) {
	h := &ctx.Response.Header
	httpheader.AddVary(h, httpheader.AcceptEncoding)
	tags := httpheader.Value(&ctx.Request.Header, httpheader.IfNoneMatch)
	if len(tags) == 0 && z.Negotiate(httpheader.Value(&ctx.Request.Header, httpheader.AcceptEncoding)) != compress.Identity ||
		bytes.Contains(tags, append([]byte("W/"), httpheader.Value(h, httpheader.ETag)...)) {
		weaken(h)
	}
}

// readStream makes a body of a stream whose size is known, and reports whether the stream kept its
// word. Response.Body would do the same, but would send the text of a read error as the body.
func readStream(resp *fasthttp.Response) bool {
	body := make([]byte, resp.Header.ContentLength())
	_, err := io.ReadFull(resp.BodyStream(), body)
	if err != nil {
		_ = resp.CloseBodyStream()
		return false
	}
	if resp.CloseBodyStream() != nil {
		return false
	}
	resp.SetBodyRaw(body)
	return true
}

// weaken makes a strong ETag weak: the bytes are no longer those it stands for.
func weaken(h *fasthttp.ResponseHeader) {
	if tag := httpheader.Value(h, httpheader.ETag); len(tag) > 0 && tag[0] == '"' {
		h.Set(fasthttp.HeaderETag, "W/"+string(tag))
	}
}
