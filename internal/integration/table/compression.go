package table

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strings"
	"testing"

	"github.com/andybalholm/brotli"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

var decoders = map[string]func([]byte) ([]byte, error){
	"": func(b []byte) ([]byte, error) { return b, nil },
	"gzip": func(b []byte) ([]byte, error) {
		r, err := gzip.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	},
	"deflate": func(b []byte) ([]byte, error) {
		r, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return io.ReadAll(r)
	},
	"br": func(b []byte) ([]byte, error) { return io.ReadAll(brotli.NewReader(bytes.NewReader(b))) },
}

// Long answers are compressed as the client asks, and caches are told that it was asked.
func compression(t *testing.T, at place) {
	e := at.serve(t, engineio.Config{})
	p := e.polling(enginetest.Setup{})
	s := e.session(p)
	long := strings.Repeat("again and ", 1_000)
	for _, c := range []struct{ accept, coding string }{
		{"gzip", "gzip"}, {"deflate", "deflate"}, {"br", "br"}, {"gzip;q=0, br;q=0.1, deflate", "deflate"}, {"identity", ""}, {"", ""},
	} {
		var header []string
		if c.accept != "" {
			header = []string{"Accept-Encoding: " + c.accept}
		}
		for _, message := range []string{long, "short"} {
			if err := s.SendText(message); err != nil {
				t.Fatal(err)
			}
			r, err := p.Get.Do("GET", p.URI(), nil, header...)
			if err != nil {
				t.Fatal(err)
			}
			coding := c.coding
			if message != long {
				coding = ""
			}
			body, err := decoders[coding](r.Body)
			if err != nil || r.Status != 200 || string(body) != "4"+message {
				t.Errorf("%q is answered %d %.40q, %v", c.accept, r.Status, body, err)
			}
			if got := r.Header.Get("Content-Encoding"); got != coding || message == long && !varies(r, "Accept-Encoding") {
				t.Errorf("%q is answered with %v, want %q", c.accept, r.Header, coding)
			}
		}
	}
}
