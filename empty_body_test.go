package engineio_test

import (
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A body in chunks that is empty is none, streamed or not; one with a byte, or without an end, is refused where it
// is streamed, for it would be the next request.
func TestGetWithAnEmptyBodyInChunks(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		for _, stream := range []bool{false, true} {
			e := serve(t, on, engineio.Config{BodyTimeout: 50 * time.Millisecond}, enginetest.Options{StreamRequestBody: stream})
			h := e.http.HTTP()
			const chunked = " /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
			const two = "GET" + chunked + "0\r\n\r\nGET" + chunked + "0\r\n\r\n" // in one segment
			if err := h.Write([]byte(two)); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if r, err := h.Read("GET"); err != nil || r.Status != 200 || r.Close {
					t.Errorf("streamed %v, request %d: %+v, %v", stream, i, r, err)
				}
			}
			h.Close()
			for _, body := range []string{"1\r\nx\r\n0\r\n\r\n", "1\r\n", ""} {
				if !stream {
					break
				}
				h := e.http.HTTP()
				if err := h.Write([]byte("GET" + chunked + body)); err != nil {
					t.Fatal(err)
				}
				if r, err := h.Read("GET"); err != nil || r.Status != 400 || !r.Close {
					t.Errorf("the body %q: %+v, %v", body, r, err)
				}
				h.Close()
			}
		}
	})
}
