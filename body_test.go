//go:build !race

package engineio_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

// fasthttp keeps the buffers of a connection's bodies for its next request. One POST of half a
// megabyte, and its echo, must not weigh on an idle connection for the rest of its life.
func TestConnectionsAreSmallAfterLargeBodies(t *testing.T) {
	const conns, size = 20, 512 << 10
	srv := engineio.New(engineio.Config{
		OnMessage: func(s *engineio.Session, m engineio.Message) { _ = s.Send(m, 0) },
	})
	server := enginetest.Start(t, srv.Handler(nil), enginetest.Options{})
	message := enginetest.Text(strings.Repeat("x", size))
	before := heap()
	for range conns {
		c, err := server.DialPolling(enginetest.Setup{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Send(message); err != nil {
			t.Fatal(err)
		}
		echo, err := c.Receive()
		if err != nil || len(echo.Data) != size {
			t.Fatalf("got %d bytes, %v", len(echo.Data), err)
		}
		_ = c.Send(enginetest.Text("small")) // the test's client keeps the last it has received
		_, _ = c.Receive()
		defer c.Close()
	}
	// 40 KB are ours and the test client's; a body kept would be 512 more.
	if each := (heap() - before) / conns; each > 100<<10 {
		t.Errorf("an idle connection weighs %d bytes", each)
	} else {
		t.Logf("an idle connection weighs %d bytes, the test client's end included", each)
	}
}

func heap() int {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}
