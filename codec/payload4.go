package codec

import (
	"bytes"
	"io"
)

// Separator is the byte between the packets of a [Text4] payload, the ASCII record separator.
const Separator = 0x1e

func appendText4(payload []byte, p Packet) []byte {
	if len(payload) > 0 {
		payload = append(payload, Separator)
	}
	return V4.AppendText(payload, p)
}

// nextText4 takes the bytes up to the next separator. A body that ends with a separator
// leaves rest empty but not nil: one more packet is due, and it is missing.
func (d *Decoder) nextText4() (Packet, error) {
	if d.rest == nil && !d.first {
		return Packet{}, io.EOF
	}
	packet := d.rest
	if i := bytes.IndexByte(d.rest, Separator); i >= 0 {
		packet, d.rest = d.rest[:i:i], d.rest[i+1:]
	} else {
		d.rest = nil
	}
	return V4.decodeText(packet, d.valid)
}
