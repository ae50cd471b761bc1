package main

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Every source address has some 28,000 ports of its own, those in TIME_WAIT included. Each of
// 127.0.0.2 up to 127.0.0.251 is used for so many sessions.
const (
	sources   = 250
	perSource = 14_000
)

// dial connects for session number n of all.
func dial(addr string, n int) (net.Conn, error) {
	d := net.Dialer{
		Timeout:   openTimeout,
		KeepAlive: -1,
		LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+n/perSource))},
		Control:   choosePortLate,
	}
	c, err := d.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return c, c.SetDeadline(time.Now().Add(openTimeout))
}

// openTimeout bounds the opening of a session, and its end.
const openTimeout = 30 * time.Second

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
