package engineio

import (
	"encoding/base64"
	"sync"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/ws"
)

// A chunk is a run of queued packets. Packets are kept as the WebSocket frames that carry them:
// a frame delimits itself, a WebSocket writes the run as it stands, and long-polling translates.
type chunk struct {
	own        []byte // frames encoded for this session, from start on
	start      int
	shared     []byte // or frames of a PreparedMessage, never written to
	noCompress bool   // not to be compressed
	compressed bool   // compressed for a WebSocket already, if it was worth it
	group      int    // the chunk is one group of so many messages, which are dropped together; 0 for a run of packets
	next       *chunk
}

var chunks = sync.Pool{New: func() any { return new(chunk) }}

// frames are the queued frames of this chunk alone.
func (c *chunk) frames() []byte {
	if c.shared != nil {
		return c.shared
	}
	return c.own[c.start:]
}

// size is the length of all frames in a list of chunks.
func (c *chunk) size() (n int) {
	for ; c != nil; c = c.next {
		n += len(c.frames())
	}
	return n
}

// release gives a list of chunks back to the pool, without buffers that are far above chunkSize.
func (c *chunk) release() {
	for c != nil {
		next := c.next
		if cap(c.own) > 2*chunkSize {
			c.own = nil
		}
		*c = chunk{own: c.own[:0]}
		chunks.Put(c)
		c = next
	}
}

// appendFrame appends the WebSocket frame that carries p.
func appendFrame(dst []byte, rev codec.Revision, textOnly bool, p codec.Packet) []byte {
	if p.Binary && textOnly {
		return appendBase64Frame(dst, rev, p)
	}
	op, n := ws.Text, len(p.Data)+1
	if p.Binary {
		op = ws.Binary
		if rev == codec.V4 {
			n-- // no type byte
		}
	}
	return rev.AppendMessage(ws.AppendHeader(dst, op, n), p)
}

// appendBase64Frame appends a binary packet as the text frame b... (revision 3: b4...).
func appendBase64Frame(dst []byte, rev codec.Revision, p codec.Packet) []byte {
	return rev.AppendText(ws.AppendHeader(dst, ws.Text, base64Len(rev, len(p.Data))), p)
}

// encodeBinary turns queued binary messages into base64 text, for a holder whose client cannot take binary. The caller
// holds mu.
func (o *outbox) encodeBinary() {
	queue := o.first
	o.first, o.last, o.textOnly = nil, nil, true
	for c := queue; c != nil; c = c.next {
		var group *chunk
		if c.group > 0 {
			group = o.addGroup(c.group, len(c.frames()), c.noCompress)
		}
		for frames := c.frames(); len(frames) > 0; {
			op, payload, rest := ws.Split(frames)
			frame := frames[:len(frames)-len(rest)]
			frames = rest
			text := frame
			if op == ws.Binary {
				text = appendFrame(nil, o.revision, true, unframe(o.revision, op, payload))
			}
			to := group
			if to == nil {
				to = o.tail(len(text), c.noCompress)
			}
			o.reserve(to, len(text))
			to.own = append(to.own, text...)
			o.size += len(text) - len(frame)
		}
	}
	o.free(queue)
	o.watermark.measure(o.size, false)
}

// base64Len is how long n bytes are as the text b..., in revision 3 b4...
func base64Len(rev codec.Revision, n int) int {
	n = len("b") + base64.StdEncoding.EncodedLen(n)
	if rev == codec.V3 {
		n++
	}
	return n
}
