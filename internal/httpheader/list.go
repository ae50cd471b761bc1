package httpheader

import (
	"bytes"
	"iter"
)

// Elements are the elements of a comma-separated list, without the spaces around them. Empty elements count
// for nothing (RFC 9110, 5.6.1).
func Elements(list []byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for len(list) > 0 {
			var element []byte
			element, list, _ = bytes.Cut(list, []byte{','})
			if element = bytes.Trim(element, " \t"); len(element) > 0 && !yield(element) {
				return
			}
		}
	}
}

// First returns the first element of a list, nil when there is none.
func First(list []byte) []byte {
	for element := range Elements(list) {
		return element
	}
	return nil
}

// HasToken reports whether a list has a token, in any case.
func HasToken(list []byte, token string) bool {
	for element := range Elements(list) {
		if len(element) == len(token) && bytes.EqualFold(element, []byte(token)) {
			return true
		}
	}
	return false
}

// FirstToken returns the first element of a list that is a token, nil when there is none.
func FirstToken(list []byte) []byte {
	for element := range Elements(list) {
		if IsToken(element) {
			return element
		}
	}
	return nil
}

// IsToken reports whether b is a token (RFC 9110, 5.6.2).
func IsToken(b []byte) bool {
	for _, c := range b {
		if !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

// IsTokenList reports whether b consists of tokens, commas and spaces, and of one byte at least.
func IsTokenList(b []byte) bool {
	for _, c := range b {
		if c != ',' && c != ' ' && !isTokenByte(c) {
			return false
		}
	}
	return len(b) > 0
}

func isTokenByte(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' ||
		bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}
