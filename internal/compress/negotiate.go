package compress

import "bytes"

// Negotiate chooses the coding of a response from the request's Accept-Encoding and from what the
// server offers, best first. It does not allocate and does not keep acceptEncoding.
//
// The highest q-value wins, the order of offered decides ties. A q of 0 refuses, "*" stands for every
// coding the header does not name. Identity needs no offer: it is chosen where the client gives it a
// higher q than any coding, where nothing matches, and where the header is empty, since a client that
// says nothing may be unable to decode. It is chosen even if the client refuses it and all of
// offered, as RFC 9110 12.5.3 recommends over an error.
//
// A member with a malformed q counts as refused; of two members with the same name the last counts.
func Negotiate(acceptEncoding []byte, offered ...Encoding) Encoding {
	const unnamed = -1
	weights := [encodings]int{unnamed, unnamed, unnamed, unnamed, unnamed}
	rest := unnamed // the weight of "*"
	for len(acceptEncoding) > 0 {
		var member []byte
		member, acceptEncoding = cut(acceptEncoding, ',')
		token, parameters := cut(member, ';')
		if token = bytes.TrimSpace(token); len(token) == 0 {
			continue
		}
		if len(token) == 1 && token[0] == '*' {
			rest = weight(parameters)
		} else if e, ok := Parse(token); ok {
			weights[e] = weight(parameters)
		}
	}

	best, bestWeight := Identity, 0
	for _, e := range offered {
		if e == Identity || e >= encodings {
			continue
		}
		w := weights[e]
		if w == unnamed {
			w = rest
		}
		if w > bestWeight {
			best, bestWeight = e, w
		}
	}
	plain := weights[Identity]
	if plain == unnamed {
		plain = rest
	}
	if plain > bestWeight {
		return Identity
	}
	return best
}

// weight returns the q of a member's parameters in thousandths: 1000 without one, 0 for a malformed one.
func weight(parameters []byte) int {
	for len(parameters) > 0 {
		var p []byte
		p, parameters = cut(parameters, ';')
		name, value := cut(p, '=')
		if name = bytes.TrimSpace(name); len(name) == 1 && name[0]|0x20 == 'q' {
			return quality(bytes.TrimSpace(value))
		}
	}
	return 1000
}

// quality parses a qvalue. More than the three decimals of RFC 9110 are read too, because programs
// print floats; what is above zero never becomes a refusal.
func quality(v []byte) int {
	if len(v) == 0 || v[0] != '0' && v[0] != '1' || len(v) > 1 && v[1] != '.' {
		return 0
	}
	q, scale, positive := int(v[0]-'0')*1000, 100, v[0] == '1'
	for _, c := range v[min(2, len(v)):] {
		if c < '0' || c > '9' {
			return 0
		}
		q += int(c-'0') * scale
		scale /= 10
		positive = positive || c != '0'
	}
	switch {
	case q > 1000:
		return 0
	case q == 0 && positive:
		return 1
	}
	return q
}

// cut is bytes.Cut for one byte, without the flag.
func cut(b []byte, sep byte) (before, after []byte) {
	if i := bytes.IndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:]
	}
	return b, nil
}
