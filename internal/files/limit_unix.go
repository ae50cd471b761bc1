//go:build linux || darwin || freebsd || netbsd || openbsd

// Package files knows how many files the process may have open.
package files

import "syscall"

// Limit is how many files the process may have open.
func Limit() (limit uint64, ok bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0, false
	}
	return uint64(r.Cur), true
}
