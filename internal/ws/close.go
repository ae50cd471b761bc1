package ws

import (
	"encoding/binary"
	"unicode/utf8"
)

// ParseClose returns what a close frame's payload says, 1005 ("no status received") when it is empty. Payloads
// that come from a Reader have been checked; one byte alone counts as empty here.
func ParseClose(payload []byte) (code int, reason string) {
	if len(payload) < 2 {
		return 1005, ""
	}
	return int(binary.BigEndian.Uint16(payload)), string(payload[2:])
}

func checkClose(payload []byte) *Error {
	switch {
	case len(payload) == 0:
		return nil
	case len(payload) == 1:
		return protocolError("close payload of one byte")
	case !validCode(int(binary.BigEndian.Uint16(payload))):
		return protocolError("invalid close code")
	case !utf8.Valid(payload[2:]):
		return errText
	}
	return nil
}

// validCode reports whether a peer may send code: those of RFC 6455, those IANA has registered since, and the
// ranges for libraries and applications. 1004, 1005, 1006 and 1015 never travel.
func validCode(code int) bool {
	return code >= 1000 && code <= 1003 || code >= 1007 && code <= 1014 || code >= 3000 && code <= 4999
}
