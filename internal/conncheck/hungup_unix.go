//go:build unix && !linux

package conncheck

import "golang.org/x/sys/unix"

const canWatch = true

// hungUp reports whether the peer has closed or reset the socket fd. It does not see a FIN behind unread
// bytes: those count as life.
func hungUp(fd uintptr) bool {
	var b [1]byte // Go sockets never block: no MSG_DONTWAIT, which not every Unix has
	for {
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK)
		switch err {
		case nil:
			return n == 0
		case unix.EINTR:
		case unix.EAGAIN:
			return false
		default:
			return true
		}
	}
}
