package engineio

import (
	"bytes"
	"context"
	"unicode/utf8"

	"github.com/fasteio/engineio/codec"
)

// SendText queues a text message. It never blocks: it fails with ErrQueueFull, ErrClosed,
// ErrInvalidText or, with Volatile, ErrNotReady, and then nothing was queued. Messages arrive in the order of their sends, each
// at most once; a session that ends loses what its client has not read. Config.Overflow may drop
// messages of a slow client.
func (s *Session) SendText(text string, opts ...SendOption) error {
	return s.Send(Message{Data: view(text)}, opts...)
}

// SendBinary queues a binary message. data is copied; otherwise it is like SendText.
func (s *Session) SendBinary(data []byte, opts ...SendOption) error {
	return s.Send(Message{Data: data, Binary: true}, opts...)
}

// SendJSON queues v as a text message, encoded by Config.MarshalJSON, whose errors it returns.
func (s *Session) SendJSON(v any, opts ...SendOption) error {
	text, err := s.srv.config.MarshalJSON(v)
	if err != nil {
		return err
	}
	return s.Send(Message{Data: text}, opts...)
}

// Send queues a message. m.Data is copied. It fails like SendText.
func (s *Session) Send(m Message, opts ...SendOption) error {
	if !m.Binary && !s.carries(m.Data) {
		return ErrInvalidText
	}
	err := s.out.push(m.packet(), options(opts))
	if err == ErrQueueFull {
		return s.overflowed(1, false)
	}
	return err
}

// SendAll queues a group of messages as one: no message of another sender comes between them, on either
// transport and across an upgrade, and Config.Overflow refuses or drops all of them or none. For Config.MaxQueuedBytes
// a group is one message, so one always fits into an empty queue. Data is copied; it fails like SendText.
func (s *Session) SendAll(group []Message, opts ...SendOption) error {
	for _, m := range group {
		if !m.Binary && !s.carries(m.Data) {
			return ErrInvalidText
		}
	}
	if len(group) == 0 {
		return nil
	}
	err := s.out.pushGroup(group, options(opts))
	if err == ErrQueueFull {
		return s.overflowed(len(group), false)
	}
	return err
}

// SendPrepared queues a message that was encoded before, with the options it was prepared with. Such
// a message goes to many sessions, so a WebSocket that has nothing else to write is written to
// before it returns, as far as that needs no waiting. Otherwise it is like SendText.
func (s *Session) SendPrepared(p *PreparedMessage) error { return s.sendPrepared(p, false) }

func (s *Session) sendPrepared(p *PreparedMessage, broadcast bool) error {
	if p.invalid || p.separator && !s.carriesSeparator() {
		return ErrInvalidText
	}
	if len(p.packets) == 0 {
		return nil
	}
	err := s.out.pushPrepared(p)
	if err == ErrQueueFull {
		return s.overflowed(len(p.packets), broadcast)
	}
	return err
}

// Queued is how much waits in the send queue, in bytes on the wire: what Config.MaxQueuedBytes bounds.
func (s *Session) Queued() int { return s.out.queuedBytes() }

// Flush waits until everything sent before the call has been handed to a connection. It fails
// with ErrClosed when the session ends and some of it is lost, and with the cause of ctx. In
// OnMessage on long-polling it holds the client's POST until the client's GET has taken the
// messages; in OnConnect on long-polling it can only fail, since that GET is yet to come.
func (s *Session) Flush(ctx context.Context) error { return s.out.flush(ctx) }

// carries reports whether the transport can carry a text.
func (s *Session) carries(text []byte) bool {
	if !utf8.Valid(text) {
		return false
	}
	return s.carriesSeparator() || bytes.IndexByte(text, codec.Separator) < 0
}

// carriesSeparator reports whether a text may contain the byte 0x1e, which ends a packet on long-polling of
// revision 4. A session that has left long-polling never returns to it.
func (s *Session) carriesSeparator() bool {
	return s.revision == V3 || s.Transport() == WebSocket
}

// SendOption changes how a message is sent. Every send takes any number of them.
type SendOption uint8

const (
	// NoCompress keeps the message, and what shares a long-polling response with it,
	// uncompressed: for secrets next to text that a stranger chose, and for data that is
	// compressed already.
	NoCompress SendOption = 1 << iota
	// Volatile drops the message, with ErrNotReady, when the client cannot take it at once: on
	// long-polling when it has no request waiting, on WebSocket while a write is under way.
	Volatile
)

// options combines the options of a send.
func options(opts []SendOption) (all SendOption) {
	for _, o := range opts {
		all |= o
	}
	return all
}
