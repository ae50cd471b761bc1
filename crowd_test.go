package engineio_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/fasteio/engineio"
)

// crowdSize is above what fasthttp's own compression survives: it answers with empty bodies when
// more than 2,048 calls for each processor wait.
const crowdSize = 12_000

// Everybody who polls when a large message goes to all gets the whole message, compressed.
func TestCompressedPollsOfACrowd(t *testing.T) {
	srv := engineio.New(engineio.Config{MaxSessions: crowdSize, PingInterval: time.Hour}) // a slow machine needs half a minute
	ln := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{Handler: srv.Handler(nil), Concurrency: 2 * crowdSize, ReduceMemoryUsage: true}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()

	message := strings.Repeat("a message for everybody, ", 200)
	var parked, done sync.WaitGroup
	parked.Add(crowdSize)
	failures := make(chan error, crowdSize)
	hundred := make(chan struct{}, 100) // at once, while they come
	for range crowdSize {
		done.Go(func() {
			hundred <- struct{}{}
			if err := pollCompressed(ln, message, func() { <-hundred; parked.Done() }); err != nil {
				failures <- err
			}
		})
	}
	parked.Wait()
	srv.Broadcast(engineio.PrepareText(message))
	done.Wait()
	close(failures)
	if n := len(failures); n > 0 {
		t.Errorf("%d of %d polls lost something, one: %v", n, crowdSize, <-failures)
	}
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if err := server.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// pollCompressed opens a session, calls ready and polls. A message that was sent between the two is
// in the queue.
func pollCompressed(ln *fasthttputil.InmemoryListener, want string, ready func()) (err error) {
	once := sync.OnceFunc(ready)
	defer once()
	conn, err := ln.Dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 512)
	_, open, err := request(conn, r, "GET", "", "")
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(open, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	once()
	header, got, err := request(conn, r, "GET", "&sid="+sid, "")
	switch {
	case err != nil:
		return err
	case header.Get("Content-Encoding") != "gzip":
		return fmt.Errorf("Content-Encoding is %q", header.Get("Content-Encoding"))
	case got != "4"+want:
		return fmt.Errorf("got %d bytes, want %d", len(got), len(want)+1)
	}
	_, _, err = request(conn, r, "POST", "&sid="+sid, "1")
	return err
}

// request does one exchange of long-polling, with gzip accepted and undone.
func request(conn net.Conn, r *bufio.Reader, method, query, body string) (http.Header, string, error) {
	_, err := fmt.Fprintf(conn, "%s /engine.io/?EIO=4&transport=polling%s HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s",
		method, query, len(body), body)
	if err != nil {
		return nil, "", err
	}
	resp, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %d: %s", resp.StatusCode, b)
	}
	if err == nil && resp.Header.Get("Content-Encoding") == "gzip" {
		var z *gzip.Reader
		if z, err = gzip.NewReader(bytes.NewReader(b)); err == nil {
			b, err = io.ReadAll(z)
		}
	}
	return resp.Header, string(b), err
}
