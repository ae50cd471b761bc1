package abuse

import (
	"net"
	"testing"
)

// fewFiles are less than there are connections in one strike, and enough for normal clients.
const fewFiles = 200

// Connections that use up the server's files do not end it. Those that have files say nothing, and when they go it
// serves again.
func TestFilesUsedUp(t *testing.T) {
	attack(t, spec{Files: fewFiles, MaxSessions: fewFiles}, 2, 20, func(t *testing.T, x *target, n int) {
		x.struck = 2 * fewFiles * n
		for range n {
			var all []net.Conn
			for range 2 * fewFiles {
				w, err := x.dial()
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, w)
			}
			for _, c := range all {
				_ = c.Close()
			}
			served(t, x)
		}
	})
}
