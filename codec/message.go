package codec

import (
	"encoding/base64"
	"unicode/utf8"
)

// binaryMessage is the type byte of binary packets in revision 3: a number, not a digit.
const binaryMessage = byte(Message - Open)

// AppendMessage appends the payload of the WebSocket message that carries p, and returns
// the extended slice. The message has to be sent as a binary one if p.Binary is set, and
// as text otherwise. Use [Revision.AppendText] for a peer that takes no binary.
func (r Revision) AppendMessage(dst []byte, p Packet) []byte {
	if !p.Binary {
		return append(append(dst, byte(p.Type)), p.Data...)
	}
	if r == V3 {
		dst = append(dst, binaryMessage)
	}
	return append(dst, p.Data...)
}

// AppendText appends p as text, whatever it is: binary data becomes base64 behind "b"
// (revision 4) or "b4" (revision 3). It is the payload of a WebSocket text message for a
// peer that asked for b64=1, and the form of a packet within text payloads.
func (r Revision) AppendText(dst []byte, p Packet) []byte {
	if !p.Binary {
		return append(append(dst, byte(p.Type)), p.Data...)
	}
	dst = append(dst, 'b')
	if r == V3 {
		dst = append(dst, byte(Message))
	}
	return base64.StdEncoding.AppendEncode(dst, p.Data)
}

// DecodeMessage returns the packet in the payload b of a WebSocket message; binary says
// which kind of message it was. A text message may carry base64, as [Revision.AppendText]
// writes it, and is a binary packet then.
//
// Data aliases b. Base64 is decoded in place, so b is overwritten, also when the result is
// an error. The error is [ErrEmpty], [ErrType], [ErrUTF8] or [ErrBase64].
func (r Revision) DecodeMessage(binary bool, b []byte) (Packet, error) {
	b = b[:len(b):len(b)]
	switch {
	case !binary:
		return r.decodeText(b, false)
	case r == V3:
		return decodeBinary3(b)
	default:
		return Packet{Type: Message, Binary: true, Data: b}, nil
	}
}

// decodeText is the inverse of AppendText. The caller sets valid if it knows b to be UTF-8.
func (r Revision) decodeText(b []byte, valid bool) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, ErrEmpty
	}
	if b[0] == 'b' {
		return r.decodeBase64(b[1:])
	}
	t, data := Type(b[0]), b[1:]
	if !t.known() {
		return Packet{}, ErrType
	}
	if !valid && !utf8.Valid(data) {
		return Packet{}, ErrUTF8
	}
	return Packet{Type: t, Data: data}, nil
}

// decodeBase64 decodes, in place, what follows the "b" of a text form. Decoding in place is
// sound because at any time the decoder has written no further than it has read.
func (r Revision) decodeBase64(b []byte) (Packet, error) {
	if r == V3 {
		if len(b) == 0 || b[0] != byte(Message) {
			return Packet{}, ErrType
		}
		b = b[1:]
	}
	n, err := base64.StdEncoding.Decode(b, b)
	if err != nil {
		return Packet{}, ErrBase64
	}
	return Packet{Type: Message, Binary: true, Data: b[:n:n]}, nil
}

// decodeBinary3 decodes a binary packet of revision 3, which starts with a type byte.
func decodeBinary3(b []byte) (Packet, error) {
	if len(b) == 0 {
		return Packet{}, ErrEmpty
	}
	if b[0] != binaryMessage {
		return Packet{}, ErrType
	}
	return Packet{Type: Message, Binary: true, Data: b[1:]}, nil
}
