//go:build linux || darwin || freebsd || netbsd || openbsd

package engineio

import "syscall"

// fileLimit is how many files the process may have open.
func fileLimit() (limit uint64, ok bool) {
	var r syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &r) != nil {
		return 0, false
	}
	return uint64(r.Cur), true
}
