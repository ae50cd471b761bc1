//go:build !unix

package conncheck

// canWatch is false where RawConn.Read cannot park: on Windows it calls back without end once the peer
// has closed.
const canWatch = false

func hungUp(uintptr) bool { return false }
