package client

import (
	"bytes"
	"context"
	"slices"
	"unicode/utf8"

	"github.com/fasteio/engineio/codec"
)

// Send queues m, and waits while Options.MaxQueuedBytes is reached. It returns before the message has left; see
// Flush. m.Data is copied. An error says that it was not queued: the cause of ctx, ErrTooBig, ErrInvalidText,
// ErrNotConnected, or an ErrClosed.
func (c *Client) Send(ctx context.Context, m Message) error {
	return c.send(ctx, codec.Packet{Type: codec.Message, Binary: m.Binary, Data: append([]byte(nil), m.Data...)})
}

// SendText is Send for a text.
func (c *Client) SendText(ctx context.Context, text string) error {
	return c.send(ctx, codec.Packet{Type: codec.Message, Data: []byte(text)})
}

// SendBinary is Send for bytes.
func (c *Client) SendBinary(ctx context.Context, data []byte) error {
	return c.Send(ctx, Message{Data: data, Binary: true})
}

// SendJSON is Send for v as text, encoded by Options.MarshalJSON, whose errors it returns.
func (c *Client) SendJSON(ctx context.Context, v any) error {
	data, err := c.o.MarshalJSON(v)
	if err != nil {
		return err
	}
	return c.Send(ctx, Message{Data: data})
}

// send queues p, whose data belongs to the client.
func (c *Client) send(ctx context.Context, p codec.Packet) error {
	if err := c.sendable(p); err != nil {
		return err
	}
	if err := c.out.push(ctx, p); err != nil {
		return err
	}
	if s := c.session.Load(); s != nil {
		s.startSender()
	}
	return nil
}

// sendable says what is wrong with a message. Between two sessions it is judged by the last one, on the transport that
// the next will be opened with.
func (c *Client) sendable(p codec.Packet) error {
	s := c.session.Load()
	onWS := c.o.Transports[0] == WebSocket
	if s != nil {
		onWS = s.onWS.Load()
	}
	if !p.Binary && !utf8.Valid(p.Data) {
		return ErrInvalidText
	}
	polls := slices.Contains(c.o.Transports, Polling) && (!onWS || s == nil || c.o.Reconnect != nil)
	if polls && c.o.Revision == V4 && !p.Binary && bytes.IndexByte(p.Data, codec.Separator) >= 0 {
		return ErrInvalidText
	}
	if limit := c.maxPayload.Load(); limit > 0 && int64(c.sizeOf(p, onWS)) > limit {
		return ErrTooBig
	}
	return nil
}

// sizeOf is what a message counts for at a server's maxPayload.
func (c *Client) sizeOf(p codec.Packet, onWS bool) int {
	switch {
	case !onWS:
		return payloadSize(c.o.Revision, p) - 1 // a separator stands between two
	case p.Binary && c.o.Revision == V4:
		return len(p.Data)
	}
	return 1 + len(p.Data)
}
