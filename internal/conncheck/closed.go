package conncheck

import (
	"net"
	"syscall"
)

// Closed reports whether c was closed by this process. It is false where c has no descriptor to ask.
func Closed(c net.Conn) bool {
	beneath, _ := unwrap(c)
	sc, ok := beneath.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	return err != nil || raw.Control(func(uintptr) {}) != nil
}
