package engineio_test

import (
	"bytes"
	"net"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A client that sends requests and reads no answer loses its connection on a server that is tuned.
func TestClientThatReadsNoSmallAnswers(t *testing.T) {
	t.Parallel()
	var tuned fasthttp.Server
	tuned.ReadTimeout = 200 * time.Millisecond
	engineio.Tune(&tuned)
	e := serve(t, onFasthttp, engineio.Config{}, enginetest.Options{
		ReadTimeout: tuned.ReadTimeout, WriteTimeout: tuned.WriteTimeout, IdleTimeout: tuned.ReadTimeout,
	})
	c, err := e.http.Dial()
	if err != nil {
		t.Fatal(err)
	}
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10)
	refused := bytes.Repeat(enginetest.Request("GET", "/engine.io/?EIO=4&transport=polling&sid=x", "a", nil), 1000)
	for err == nil {
		_, err = c.Write(refused)
	}
	if e, ok := err.(net.Error); ok && e.Timeout() {
		t.Errorf("the connection stays: %v", err)
	}
}
