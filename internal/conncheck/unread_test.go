package conncheck

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"github.com/fasteio/engineio/internal/enginetest"
)

// What a peer does not read stays in sight, and goes when it reads, also beneath TLS and wrappers.
func TestUnread(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("no count on this system")
	}
	watched(t, func(t *testing.T, server, client net.Conn) {
		conn := bare(client)
		if err := conn.SetReadBuffer(8 << 10); err != nil {
			t.Fatal(err)
		}
		written := make(chan error, 1)
		go func() {
			_, err := server.Write(make([]byte, 64<<20))
			written <- err
		}()
		until(t, server, func(n int) bool { return n > 64<<10 }) // more than is ever on its way to a peer that reads
		server.SetWriteDeadline(time.Now())
		if err := <-written; err == nil {
			t.Fatal("64 MB fit into the sockets")
		}
		before, _ := Unread(server)
		go io.Copy(io.Discard, conn)
		until(t, server, func(n int) bool { return n < before })
	})
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if n, ok := Unread(a); ok {
		t.Errorf("%d without a descriptor", n)
	}
	if n, ok := Unread(nil); ok {
		t.Errorf("%d without a connection", n)
	}
}

// until waits until the count of unread bytes is as it should be.
func until(t *testing.T, c net.Conn, right func(n int) bool) {
	t.Helper()
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		n, ok := Unread(c)
		if ok && right(n) {
			return
		}
		if !ok || time.Since(begin) > enginetest.Patience {
			t.Fatalf("%d, %v", n, ok)
		}
	}
}
