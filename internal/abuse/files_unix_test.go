//go:build linux || darwin

package abuse

import "syscall"

// limitFiles is ulimit -n.
func limitFiles(n uint64) {
	if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
		fail(err)
	}
}
