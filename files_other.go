//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd

package engineio

// fileLimit is not known here.
func fileLimit() (limit uint64, ok bool) { return 0, false }
