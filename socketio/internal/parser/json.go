package parser

// What is here reads JSON that is known to be valid, so it looks at no more than it needs.

// space skips white space from at on.
func space(data []byte, at int) int {
	for at < len(data) && (data[at] == ' ' || data[at] == '\n' || data[at] == '\t' || data[at] == '\r') {
		at++
	}
	return at
}

// text returns the end of the string that starts at.
func text(data []byte, at int) int {
	for at++; at < len(data) && data[at] != '"'; at++ {
		if data[at] == '\\' {
			at++
		}
	}
	return at + 1
}

// end returns the end of the value that starts at.
func end(data []byte, at int) int {
	switch data[at] {
	case '"':
		return text(data, at)
	case '[', '{':
		for depth := 0; at < len(data); at++ {
			switch data[at] {
			case '"':
				at = text(data, at) - 1
			case '[', '{':
				depth++
			case ']', '}':
				if depth--; depth == 0 {
					return at + 1
				}
			}
		}
		return at
	}
	for at < len(data) {
		switch data[at] {
		case ',', ']', '}', ' ', '\n', '\t', '\r':
			return at
		}
		at++
	}
	return at
}

// element returns the element of an array that stands at, white space in front aside, and where the one after
// it is looked for. It is empty behind the last.
func element(data []byte, at int) (value []byte, next int) {
	at = space(data, at)
	if at < len(data) && data[at] == ',' {
		at = space(data, at+1)
	}
	if at >= len(data) || data[at] == ']' {
		return nil, at
	}
	next = end(data, at)
	return data[at:next], next
}

// Elements walks over the elements of a valid JSON array, with where each starts.
func Elements(data []byte) func(yield func(start int, value []byte) bool) {
	return func(yield func(int, []byte) bool) {
		if len(data) == 0 {
			return
		}
		for at := 1; ; {
			value, next := element(data, at)
			if len(value) == 0 || !yield(next-len(value), value) {
				return
			}
			at = next
		}
	}
}
