package abuse

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"github.com/fasteio/engineio/internal/enginetest"
)

// squeeze compresses n bytes, which are head and then c again and again, with a writer of some coding.
func squeeze(t testing.TB, head string, c byte, n int, writer func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := writer(&b)
	if _, err := io.WriteString(w, head); err != nil {
		t.Fatal(err)
	}
	same := bytes.Repeat([]byte{c}, 1<<20)
	for n -= len(head); n > 0; n -= len(same) {
		if _, err := w.Write(same[:min(n, len(same))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// codings are those of HTTP that anybody inflates.
var codings = map[string]func(io.Writer) io.WriteCloser{
	"gzip":    func(w io.Writer) io.WriteCloser { c, _ := gzip.NewWriterLevel(w, 1); return c },
	"deflate": func(w io.Writer) io.WriteCloser { c, _ := zlib.NewWriterLevel(w, 1); return c },
	"br":      func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 1) },
	"zstd": func(w io.Writer) io.WriteCloser {
		c, _ := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest))
		return c
	},
}

// deflated is a message of permessage-deflate that inflates to head and n times a megabyte of 'x'. The
// megabyte is compressed once: a flushed block means the same wherever it stands.
func deflated(t testing.TB, head string, n int) string {
	t.Helper()
	block := func(s string) string {
		var b bytes.Buffer
		w, err := flate.NewWriter(&b, 9)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, s) // into memory
		_ = w.Flush()
		return b.String()
	}
	message := block(head) + strings.Repeat(block(strings.Repeat("x", 1<<20)), n)
	return strings.TrimSuffix(message, "\x00\x00\xff\xff") // which the sender cuts off
}

const offer = "Sec-WebSocket-Extensions: permessage-deflate"

// A message that inflates to a thousand times MaxPayload (a hundred, where the race detector is in the way)
// ends with 1009 when it gets there, in one frame or in many, and has cost no more memory than that.
func TestInflationBombsByWebSocket(t *testing.T) {
	const limit = 1 << 20
	bomb := sync.OnceValue(func() string { return deflated(t, "4", size(100, 1000)) })
	attack(t, spec{Deflate: true, MaxPayload: limit}, 6, 200, func(t *testing.T, x *target, n int) {
		before := x.counts(t)
		x.forget(t)
		start := x.peak(t)
		says := []string{
			frame(fin|rsv1|opText, bomb()),
			frame(fin|rsv1|opBinary, bomb()),
			frame(rsv1|opText, bomb()[:1000]) + frame(0, bomb()[1000:2000]) + frame(fin, bomb()[2000:]),
		}
		const workers = 4
		err := crowd(n, workers, func(i int) error {
			w, err := x.dial()
			if err != nil {
				return err
			}
			defer w.end()
			if _, err := io.WriteString(w, upgradeRequest(webSocketPath, offer)+says[i%len(says)]); err != nil {
				return err
			}
			if err := w.upgraded(); err != nil {
				return err
			}
			if messages, code, _, err := w.until(); err != nil || code != 1009 || len(messages) != 1 {
				return fmt.Errorf("closed with %d, %d messages, %w", code, len(messages), err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		x.ended(t, before, tooBig, n)
		// A message holds its frames, a copy while it grows, and what comes out; the collector lets twice that be.
		if grown := x.peak(t) - start; grown > workers*8*limit+20<<20 {
			t.Errorf("%d bytes more at the peak", grown)
		}
	})
}

// A request body is what it is: the engine, like the reference, does not look at Content-Encoding. A bomb is a
// payload of no packets and inflates nowhere, and above MaxPayload it is refused like any other.
func TestInflationBombsByPost(t *testing.T) {
	bombs := sync.OnceValue(func() map[string]string {
		m := map[string]string{}
		for name, coding := range codings {
			m[name] = string(squeeze(t, "4", 'x', size(4, 100)<<20, coding))
		}
		return m
	})
	attack(t, spec{}, 1, 20, func(t *testing.T, x *target, n int) {
		x.struck = 2 * n * len(bombs())
		x.forget(t)
		start := x.peak(t)
		before := x.counts(t)
		for range n {
			for name, bomb := range bombs() {
				p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
				r, err := p.Post.Do("POST", p.URI(), bytes.Repeat([]byte(bomb), 1+maxPayload/len(bomb)), "Content-Encoding: "+name)
				if err != nil || r.Status != 413 || len(r.Body) > 0 {
					t.Fatalf("%s above MaxPayload: %+v, %v", name, r, err)
				}
				r, err = p.Post.Do("POST", p.URI(), []byte(bomb[:min(len(bomb), maxPayload)]), "Content-Encoding: "+name)
				if err != nil || r.Status != 200 || string(r.Body) != "ok" {
					t.Fatalf("%s: %+v, %v", name, r, err)
				}
				p.Close()
			}
		}
		x.ended(t, before, parseError, n*len(bombs()))
		if grown := x.peak(t) - start; grown > 16<<20 {
			t.Errorf("%d bytes more at the peak", grown)
		}
	})
}

// Forms of many parts, which fasthttp takes apart before anybody asks, are payloads of no packets too.
func TestMultipartBodies(t *testing.T) {
	part := "--x\r\nContent-Disposition: form-data; name=\"a\"; filename=\"b\"\r\n\r\n4hello\r\n"
	bodies := []struct {
		name, body string
		status     int
		reason     string
	}{
		{"one part", part + "--x--\r\n", 200, parseError},
		{"500 parts", strings.Repeat(part, 500) + "--x--\r\n", 200, parseError},
		{"2,000 parts", strings.Repeat(part, 2000) + "--x--\r\n", 400, ""},
		{"without end", part, 400, ""},
	}
	attack(t, spec{MaxPayload: 1 << 20}, 1, 10, func(t *testing.T, x *target, n int) {
		x.struck = n * len(bodies)
		for i := range x.struck {
			b := bodies[i%len(bodies)]
			before := x.counts(t)
			p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
			r, err := p.Post.Do("POST", p.URI(), []byte(b.body), "Content-Type: multipart/form-data; boundary=x")
			if err != nil || r.Status != b.status {
				t.Fatalf("%s: %+v, %v; want %d", b.name, r, err, b.status)
			}
			if b.reason != "" {
				x.ended(t, before, b.reason, 1)
			} else {
				leave(t, x, p)
			}
			p.Close()
		}
	})
}
