package ws

import "bytes"

// hasToken reports whether a comma-separated header value has the token, in any case.
func hasToken(value, token []byte) bool {
	for item := range bytes.SplitSeq(value, []byte{','}) {
		if bytes.EqualFold(bytes.Trim(item, " \t"), token) {
			return true
		}
	}
	return false
}

// firstToken returns the first item of a comma-separated header value that is a token, nil if none is.
func firstToken(value []byte) []byte {
	for item := range bytes.SplitSeq(value, []byte{','}) {
		if item = bytes.Trim(item, " \t"); isToken(item) {
			return item
		}
	}
	return nil
}

// isToken reports whether b is a token of RFC 9110.
func isToken(b []byte) bool {
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		case bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0:
		default:
			return false
		}
	}
	return len(b) > 0
}
