package main

import (
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// dialer opens connections to the server.
type dialer struct {
	host    string
	sources int
	timeout time.Duration
	turn    atomic.Uint32
}

// dial connects. Every source address has some 28,000 ports of its own, so a run that needs more,
// or that leaves many in TIME_WAIT, takes several.
func (d *dialer) dial() (net.Conn, error) {
	nd := net.Dialer{Timeout: d.timeout, KeepAlive: -1}
	if d.sources > 1 {
		last := byte(2 + d.turn.Add(1)%uint32(d.sources))
		nd.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 0, 0, last)}
		nd.Control = choosePortLate
	}
	return nd.Dial("tcp", d.host)
}

// choosePortLate lets the kernel choose the port when it knows the destination; otherwise bind
// takes one that no other connection of this address may share.
func choosePortLate(_, _ string, c syscall.RawConn) (err error) {
	outer := c.Control(func(fd uintptr) {
		err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
	})
	if outer != nil {
		return outer
	}
	return err
}

// raiseFiles makes room for n descriptors, or says that there is none.
func raiseFiles(n int) error {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	if uint64(n) > limit.Max {
		return fmt.Errorf("needs %d descriptors, ulimit -Hn is %d", n, limit.Max)
	}
	limit.Cur = limit.Max
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
}
