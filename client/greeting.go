package client

import (
	"bytes"
	"context"
	"fmt"

	"github.com/fasteio/engineio/codec"
)

// greeting is what the application has the next session begin with.
func (c *Client) greeting(ctx context.Context) (packets []codec.Packet, err error) {
	if c.o.Greeting == nil {
		return nil, nil
	}
	messages, err := c.o.Greeting(ctx)
	if err != nil {
		return nil, fmt.Errorf("client: Greeting: %w", err)
	}
	for _, m := range messages {
		p := codec.Packet{Type: codec.Message, Binary: m.Binary, Data: bytes.Clone(m.Data)}
		if err := c.sendable(p); err != nil {
			return nil, err
		}
		packets = append(packets, p)
	}
	return packets, nil
}
