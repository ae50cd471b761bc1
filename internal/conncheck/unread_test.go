package conncheck

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"
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
		server.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		if _, err := server.Write(make([]byte, 16<<20)); err == nil {
			t.Fatal("16 MB fit into the sockets")
		}
		before, ok := Unread(server)
		if !ok || before == 0 {
			t.Fatalf("%d, %v with a full socket", before, ok)
		}
		if _, err := io.CopyN(io.Discard, conn, 256<<10); err != nil {
			t.Fatal(err)
		}
		for begin := time.Now(); ; time.Sleep(time.Millisecond) {
			if n, ok := Unread(server); ok && n < before {
				return
			} else if time.Since(begin) > 10*time.Second {
				t.Fatalf("%d, %v after some of %d was read", n, ok, before)
			}
		}
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
