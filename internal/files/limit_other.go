//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package files

// Limit is not known here.
func Limit() (limit uint64, ok bool) { return 0, false }
