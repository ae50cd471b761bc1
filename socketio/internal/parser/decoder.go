package parser

import (
	"bytes"
	"slices"
)

// A Decoder puts the packets of one client together. It is not for two goroutines at once.
type Decoder struct {
	// MaxAttachments and MaxAttachmentBytes bound one packet: how many attachments it has, and their bytes together.
	MaxAttachments, MaxAttachmentBytes int

	partial *Packet // lacks attachments
	bytes   int     // of its attachments so far
}

// Text takes a text message. done reports whether p is complete; then Data points into text. Otherwise its
// attachments are to come by Binary, and text is copied.
func (d *Decoder) Text(text []byte) (p Packet, done bool, err error) {
	if d.partial != nil {
		return Packet{}, false, ErrText
	}
	p, err = Decode(text)
	if err != nil {
		return Packet{}, false, err
	}
	if p.count > d.MaxAttachments {
		return Packet{}, false, ErrTooMany
	}
	if p.count == 0 {
		return p, true, nil
	}
	p.Data = bytes.Clone(p.Data)
	if p.Placeholders, err = placeholders(p.Data, p.count); err != nil {
		return Packet{}, false, err
	}
	partial := p
	d.partial, d.bytes = &partial, 0
	return Packet{}, false, nil
}

// Binary takes a binary message, which it copies. done reports whether p is complete by it; p is then the
// caller's.
func (d *Decoder) Binary(data []byte) (p Packet, done bool, err error) {
	if d.partial == nil {
		return Packet{}, false, ErrBinary
	}
	if d.bytes += len(data); d.bytes > d.MaxAttachmentBytes {
		return Packet{}, false, ErrTooBig
	}
	d.partial.Attachments = append(d.partial.Attachments, slices.Clone(data))
	if len(d.partial.Attachments) < d.partial.count {
		return Packet{}, false, nil
	}
	p, d.partial = *d.partial, nil
	return p, true, nil
}
