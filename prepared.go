package engineio

import (
	"strings"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"

	"github.com/fasteio/engineio/codec"
)

// A Prepared is a message that is encoded once and sent to many sessions, whatever their
// transport and revision. It is immutable, may be used by any number of goroutines, and needs
// no release.
type Prepared struct {
	packet    codec.Packet
	invalid   bool // a text that is not UTF-8: every send of it fails
	separator bool // a text with the separator of revision 4 payloads
	frames    [4]atomic.Pointer[[]byte]
}

// PrepareText prepares a text message.
func PrepareText(text string) *Prepared {
	return &Prepared{
		packet:    codec.Packet{Type: codec.Message, Data: []byte(text)},
		invalid:   !utf8.ValidString(text),
		separator: strings.IndexByte(text, codec.Separator) >= 0,
	}
}

// PrepareBinary prepares a binary message; data is copied.
func PrepareBinary(data []byte) *Prepared {
	return &Prepared{packet: codec.Packet{Type: codec.Message, Binary: true, Data: append([]byte(nil), data...)}}
}

// frame is the WebSocket frame for a kind of session, made on first use.
func (p *Prepared) frame(rev Revision, textOnly bool) []byte {
	kind := 0
	if p.packet.Binary {
		if rev == V3 {
			kind |= 1
		}
		if textOnly {
			kind |= 2
		}
	}
	if f := p.frames[kind].Load(); f != nil {
		return *f
	}
	f := appendFrame(nil, rev, textOnly, p.packet)
	p.frames[kind].Store(&f) // two who come first together make the same bytes
	return f
}

// view looks at a string's bytes without copying them. Nobody may write to it.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
