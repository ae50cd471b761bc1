package middleware

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"strconv"
	"time"

	"github.com/fasteio/engineio/internal/httpheader"
	"github.com/valyala/fasthttp"
)

// send answers with the file and closes it, now or when the response has been written.
func send(ctx *fasthttp.RequestCtx, file *os.File, info fs.FileInfo, contentType string) {
	leaveBody(ctx)
	h := &ctx.Response.Header
	modified := info.ModTime().UTC().Truncate(time.Second)
	etag := `"` + strconv.FormatInt(info.ModTime().UnixNano(), 36) + "-" + strconv.FormatInt(info.Size(), 36) + `"`
	h.Set(fasthttp.HeaderETag, etag)
	h.SetLastModified(modified)
	h.Set(fasthttp.HeaderAcceptRanges, "bytes")
	if unchanged(ctx, etag, modified) {
		_ = file.Close()
		h.SetNoDefaultContentType(true)
		ctx.SetStatusCode(fasthttp.StatusNotModified)
		return
	}
	ctx.SetContentType(contentType)

	size := int(info.Size())
	start, length, err := ranged(ctx, size, etag, modified)
	if err == nil && start > 0 {
		_, err = file.Seek(int64(start), 0)
	}
	switch {
	case err != nil:
		_ = file.Close()
		h.Set(fasthttp.HeaderContentRange, "bytes */"+strconv.Itoa(size))
		ctx.SetContentType("text/plain; charset=utf-8")
		ctx.SetStatusCode(fasthttp.StatusRequestedRangeNotSatisfiable)
	case ctx.IsHead():
		_ = file.Close()
		ctx.Response.SkipBody = true
		h.SetContentLength(length)
	default:
		ctx.Response.SetBodyStream(&part{io.LimitedReader{R: file, N: int64(length)}, file}, length)
	}
}

// unchanged evaluates If-None-Match or, in its absence, If-Modified-Since.
func unchanged(ctx *fasthttp.RequestCtx, etag string, modified time.Time) bool {
	if tags := httpheader.Value(&ctx.Request.Header, httpheader.IfNoneMatch); len(tags) > 0 {
		for tag := range bytes.SplitSeq(tags, []byte{','}) {
			tag = bytes.TrimPrefix(bytes.TrimSpace(tag), []byte("W/"))
			if string(tag) == etag || string(tag) == "*" {
				return true
			}
		}
		return false
	}
	since, err := fasthttp.ParseHTTPDate(httpheader.Value(&ctx.Request.Header, httpheader.IfModifiedSince))
	return err == nil && !since.Before(modified)
}

// part is a body stream that ends where its Content-Length does, whatever happens to the file, because
// fasthttp sends a stream to its end and then gives the connection up.
type part struct {
	io.LimitedReader
	io.Closer
}

// WriteTo lets the connection see the file, for sendfile.
func (p *part) WriteTo(w io.Writer) (int64, error) { return io.Copy(w, &p.LimitedReader) }

var errRange = errors.New("range not satisfiable")

// ranged returns the part of the file that is asked for, all of it if none is, and sets the headers of
// a part. What is not one range of bytes is ignored, as RFC 9110 14.2 allows.
func ranged(ctx *fasthttp.RequestCtx, size int, etag string, modified time.Time) (start, length int, err error) {
	asked := httpheader.Value(&ctx.Request.Header, httpheader.Range)
	if ctx.IsHead() || len(asked) == 0 || !bytes.HasPrefix(asked, []byte("bytes=")) || bytes.IndexByte(asked, ',') >= 0 {
		return 0, size, nil
	}
	if condition := httpheader.Value(&ctx.Request.Header, httpheader.IfRange); len(condition) > 0 && string(condition) != etag {
		if t, err := fasthttp.ParseHTTPDate(condition); err != nil || !t.Equal(modified) {
			return 0, size, nil
		}
	}
	start, end, err := fasthttp.ParseByteRange(withinInt(asked), size)
	if err != nil || start > end {
		return 0, 0, errRange
	}
	ctx.Response.Header.SetContentRange(start, end, size)
	ctx.SetStatusCode(fasthttp.StatusPartialContent)
	return start, end - start + 1, nil
}

// withinInt cuts positions that are longer than an int to ones that are beyond every file too: fasthttp refuses them,
// and a last position or a suffix may be of any size (RFC 9110 14.1.2).
func withinInt(asked []byte) []byte {
	const most = 18 // digits
	out := make([]byte, 0, len(asked))
	digits := 0
	for _, c := range asked {
		switch {
		case c < '0' || c > '9' || digits == 0 && c == '0':
			if c != '0' {
				digits = 0
			}
			out = append(out, c)
		default:
			if digits++; digits <= most {
				out = append(out, c)
			}
		}
	}
	return out
}
