package codec

import (
	"bytes"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// plain holds the ASCII characters that stand for themselves in a script.
var plain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\' && c != '<'
	}
	return t
}()

// AppendJSONP appends the script that hands a payload to a JSONP client,
//
//	___eio[<index>]("<payload>");
//
// and returns the extended slice. index is the parameter j of the request; of it only the
// ASCII digits are written, so it may come from a stranger. The payload, in a text format,
// is escaped as JSON.stringify does, and further so that the result is JavaScript of any
// age (U+2028, U+2029) and cannot end the script element of an HTML page ("<"). Bytes that
// are not UTF-8 become U+FFFD.
//
// payload must not overlap the spare capacity of dst.
func AppendJSONP(dst, index, payload []byte) []byte {
	dst = append(dst, "___eio["...)
	for _, c := range index {
		if c >= '0' && c <= '9' {
			dst = append(dst, c)
		}
	}
	dst = append(dst, `](`...)
	dst = appendScriptString(dst, payload)
	return append(dst, `);`...)
}

// DecodeJSONP returns the payload in the body of a JSONP request, which is an HTML form
// (application/x-www-form-urlencoded) with the payload in its field d. The client has written
// a line feed as \n, and \n as \\n, because browsers change line feeds in forms; both are
// turned back as the reference does. An escape that is none, such as "%zz", stands for itself,
// as the URL standard wants it.
//
// The payload is decoded in place: it aliases form, which is overwritten. It may be empty, and
// it has not been checked to be UTF-8; both are for [Decoder.Next] to refuse. The error is
// [ErrForm].
func DecodeJSONP(form []byte) ([]byte, error) {
	var payload []byte
	found := false
	for more := true; more; {
		var field []byte
		field, form, more = bytes.Cut(form, []byte{'&'})
		name, value, _ := bytes.Cut(field, []byte{'='})
		if len(name) != 1 || name[0] != 'd' {
			continue
		}
		if found {
			return nil, ErrForm
		}
		payload, found = value, true
	}
	if !found {
		return nil, ErrForm
	}
	return unescapeForm(payload), nil
}

// appendScriptString appends s, in quotes, as a JavaScript string of ASCII escapes and UTF-8.
func appendScriptString(dst, s []byte) []byte {
	dst = append(dst, '"')
	done := 0 // s[:done] has been written
	for i := 0; i < len(s); {
		if plain[s[i]] {
			i++
			continue
		}
		c, size := utf8.DecodeRune(s[i:])
		if c >= utf8.RuneSelf && c != '\u2028' && c != '\u2029' && (c != utf8.RuneError || size > 1) {
			i += size
			continue
		}
		dst = appendEscape(append(dst, s[done:i]...), c)
		i += size
		done = i
	}
	return append(append(dst, s[done:]...), '"')
}

func appendEscape(dst []byte, c rune) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', byte(c))
	case '\b':
		return append(dst, `\b`...)
	case '\t':
		return append(dst, `\t`...)
	case '\n':
		return append(dst, `\n`...)
	case '\f':
		return append(dst, `\f`...)
	case '\r':
		return append(dst, `\r`...)
	default:
		return append(dst, '\\', 'u', hexDigits[c>>12&15], hexDigits[c>>8&15], hexDigits[c>>4&15], hexDigits[c&15])
	}
}

// unescapeForm decodes the value of a form field in place, and the escaped line feeds in it.
// One pass does for both, and for the two replacements of the reference: what an "n" means
// depends on the two characters before it, which are decoded by then, and no replacement
// leaves a backslash that a later "n" would follow.
func unescapeForm(b []byte) []byte {
	w := 0
	for r := 0; r < len(b); r++ {
		c := b[r]
		switch {
		case c == '+':
			c = ' '
		case c == '%' && r+2 < len(b):
			if hi, lo := unhex(b[r+1]), unhex(b[r+2]); hi|lo < 16 {
				c = hi<<4 | lo
				r += 2
			}
		}
		if c == 'n' && w > 0 && b[w-1] == '\\' {
			w--
			if w == 0 || b[w-1] != '\\' {
				c = '\n'
			}
		}
		b[w] = c
		w++
	}
	return b[:w:w]
}

// unhex returns the value of a hexadecimal digit, and 255 for any other byte.
func unhex(c byte) byte {
	switch {
	case c >= '0' && c <= '9':
		return c - '0'
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10
	default:
		return 255
	}
}
