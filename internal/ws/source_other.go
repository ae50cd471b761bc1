//go:build !unix

package ws

import "errors"

// canRead is false where a RawConn cannot tell "nothing yet" from an error: reads go through net.Conn.
const canRead = false

func readFD(uintptr, []byte) (n int, again bool, err error) { return 0, false, errors.ErrUnsupported }

func writeFD(uintptr, []byte) int { return 0 }
