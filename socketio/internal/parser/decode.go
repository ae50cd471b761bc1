package parser

import (
	"bytes"
	"encoding/json"
)

// Decode reads the text message of a packet. What it returns points into text, but for Namespace. A binary
// packet lacks its attachments: see Decoder.
func Decode(text []byte) (Packet, error) {
	if len(text) == 0 || text[0] < '0' || text[0] > '6' {
		return Packet{}, ErrType
	}
	p := Packet{Type: Type(text[0] - '0'), Namespace: "/"}
	rest := text[1:]
	if p.Type == BinaryEvent || p.Type == BinaryAck {
		n, digits, ok := number(rest, 1<<20)
		if !ok || digits == 0 || digits == len(rest) || rest[digits] != '-' {
			return Packet{}, ErrAttachments
		}
		p.count, rest = int(n), rest[digits+1:]
		p.Type -= BinaryEvent - Event
	}
	if len(rest) > 0 && rest[0] == '/' {
		name, after, _ := bytes.Cut(rest, []byte{','})
		if len(name) > 1 {
			p.Namespace = string(name)
		}
		rest = after
	}
	id, digits, ok := number(rest, MaxID)
	if !ok {
		return Packet{}, ErrID
	}
	p.ID, p.HasID, p.Data = id, digits > 0, rest[digits:]
	if !p.fits() {
		return Packet{}, ErrPayload
	}
	return p, nil
}

// number reads decimal digits in front of text. It fails above limit.
func number(text []byte, limit uint64) (n uint64, digits int, ok bool) {
	for digits < len(text) && text[digits] >= '0' && text[digits] <= '9' {
		n = n*10 + uint64(text[digits]-'0')
		if n > limit {
			return 0, 0, false
		}
		digits++
	}
	return n, digits, true
}

// fits reports whether Data is what the type asks for. Events and acknowledgements without any are let
// through, as by the reference: they do nothing.
func (p *Packet) fits() bool {
	if len(p.Data) == 0 {
		return p.Type != ConnectError
	}
	switch p.Type {
	case Connect:
		return p.Data[0] == '{' && json.Valid(p.Data)
	case ConnectError:
		return (p.Data[0] == '{' || p.Data[0] == '"') && json.Valid(p.Data)
	case Event:
		if p.Data[0] != '[' || !json.Valid(p.Data) {
			return false
		}
		_, ok := EventName(p.Data)
		return ok
	case Ack:
		return p.Data[0] == '[' && json.Valid(p.Data)
	}
	return false // nothing comes with Disconnect
}

// EventName is the name in front of the arguments of an event: a string, or a number as JavaScript writes it. It
// fails for anything else and for reserved names. data is a valid JSON array.
func EventName(data []byte) (string, bool) {
	first, _ := element(data, 1)
	if len(first) == 0 {
		return "", false
	}
	switch c := first[0]; {
	case c == '"':
		var name string
		if bytes.IndexByte(first, '\\') < 0 {
			name = string(first[1 : len(first)-1])
		} else if json.Unmarshal(first, &name) != nil {
			return "", false
		}
		return name, !IsReserved(name)
	case c == '-' || c >= '0' && c <= '9':
		var f float64
		if json.Unmarshal(first, &f) != nil {
			return "", false
		}
		name, _ := json.Marshal(f) // in ECMAScript's way
		return string(name), true
	}
	return "", false
}
