package conncheck

import "golang.org/x/sys/unix"

const canWatch = true

// hungUp reports whether the peer has closed, half-closed or reset the socket fd. POLLRDHUP sees the FIN
// behind bytes nobody has read, where MSG_PEEK sees the bytes.
func hungUp(fd uintptr) bool {
	p := [1]unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
	for {
		_, err := unix.Poll(p[:], 0)
		if err != unix.EINTR {
			return err == nil && p[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0
		}
	}
}
