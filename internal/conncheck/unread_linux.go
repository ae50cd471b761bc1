package conncheck

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// Unread returns how many of the bytes written to c the system of its peer has not taken; false where
// ours does not tell.
func Unread(c net.Conn) (n int, ok bool) {
	beneath, _ := unwrap(c)
	sc, ok := beneath.(syscall.Conn)
	if !ok {
		return 0, false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return 0, false
	}
	failed := raw.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) })
	return n, failed == nil && err == nil
}
