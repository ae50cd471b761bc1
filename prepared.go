package engineio

import (
	"bytes"
	"sync/atomic"
	"unicode/utf8"
	"unsafe"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A PreparedMessage is a message, or a group of messages, that is encoded once and sent to many sessions, whatever
// their transport and revision. It is immutable, may be used by any number of goroutines, and needs
// no release.
type PreparedMessage struct {
	packets   []codec.Packet
	opts      SendOption
	binary    bool // one of the packets is
	invalid   bool // a text that is not UTF-8: every send of it fails
	separator bool // a text with the separator of revision 4 payloads
	frames    [8]atomic.Pointer[[]byte]
}

// Prepare prepares a message; its data is copied.
func Prepare(m Message, opts ...SendOption) *PreparedMessage {
	return PrepareAll([]Message{m}, opts...)
}

// PrepareAll prepares a group of messages, which is sent like by Session.SendAll; their data is copied.
func PrepareAll(group []Message, opts ...SendOption) *PreparedMessage {
	p := &PreparedMessage{packets: make([]codec.Packet, len(group)), opts: options(opts)}
	for i, m := range group {
		p.packets[i] = m.packet()
		p.packets[i].Data = bytes.Clone(m.Data)
		p.binary = p.binary || m.Binary
		p.invalid = p.invalid || !m.Binary && !utf8.Valid(m.Data)
		p.separator = p.separator || !m.Binary && bytes.IndexByte(m.Data, codec.Separator) >= 0
	}
	return p
}

// PrepareText prepares a text message.
func PrepareText(text string, opts ...SendOption) *PreparedMessage {
	return Prepare(Message{Data: view(text)}, opts...)
}

// PrepareBinary prepares a binary message; data is copied.
func PrepareBinary(data []byte, opts ...SendOption) *PreparedMessage {
	return Prepare(Message{Data: data, Binary: true}, opts...)
}

// PrepareJSON prepares v as a text message, encoded by Config.MarshalJSON, whose errors it returns.
func (srv *Server) PrepareJSON(v any, opts ...SendOption) (*PreparedMessage, error) {
	text, err := srv.config.MarshalJSON(v)
	if err != nil {
		return nil, err
	}
	return Prepare(Message{Data: text}, opts...), nil
}

// group is the number of messages in a group, and 0 for a single message.
func (p *PreparedMessage) group() int {
	if len(p.packets) == 1 {
		return 0
	}
	return len(p.packets)
}

// made is the frame for a kind of session, or its compressed form, if that was encoded before, and nil otherwise.
func (p *PreparedMessage) made(rev Revision, textOnly, deflated bool) []byte {
	kind := p.kind(rev, textOnly)
	if deflated {
		kind |= 4
	}
	if f := p.frames[kind].Load(); f != nil {
		return *f
	}
	return nil
}

// frame is the WebSocket frame for a kind of session, or the frames of a group, made on first use.
func (p *PreparedMessage) frame(rev Revision, textOnly bool) []byte {
	kept := &p.frames[p.kind(rev, textOnly)]
	if f := kept.Load(); f != nil {
		return *f
	}
	var f []byte
	for _, packet := range p.packets {
		f = appendFrame(f, rev, textOnly, packet)
	}
	kept.Store(&f) // two goroutines that get here at once make the same bytes
	return f
}

// deflated is the same frame under permessage-deflate. Without context takeover it is the same
// for every session.
func (p *PreparedMessage) deflated(rev Revision, textOnly bool) []byte {
	kept := &p.frames[p.kind(rev, textOnly)|4]
	if f := kept.Load(); f != nil {
		return *f
	}
	var f []byte
	for frames := p.frame(rev, textOnly); len(frames) > 0; {
		op, payload, rest := ws.Split(frames)
		f = ws.AppendDeflated(f, op, payload)
		frames = rest
	}
	kept.Store(&f)
	return f
}

// kind numbers the forms of a frame. A text has one.
func (p *PreparedMessage) kind(rev Revision, textOnly bool) (kind int) {
	if !p.binary {
		return 0
	}
	if rev == V3 {
		kind |= 1
	}
	if textOnly {
		kind |= 2
	}
	return kind
}

// view returns a string's bytes without copying them. They must not be written to.
func view(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
