package socketio

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio/internal/parser"
)

// Args are the arguments of an event, or of an acknowledgement. They belong to who gets them.
type Args struct {
	socket *Socket
	packet parser.Packet
	skip   int // 1 where the name of the event stands in front
	acked  atomic.Bool
}

// Len is the number of arguments.
func (a *Args) Len() (n int) {
	for range parser.Elements(a.packet.Data) {
		n++
	}
	return max(n-a.skip, 0)
}

// Scan stores the arguments in what v points to, as json.Unmarshal does; nil leaves one out. Variables
// beyond the last argument are left alone. A []byte takes an attachment, at any depth, and so do any, []any and
// map[string]any as v themselves; an any within another type gets its base64 string.
func (a *Args) Scan(v ...any) error {
	i := -a.skip
	for start, value := range parser.Elements(a.packet.Data) {
		if i >= len(v) {
			break
		}
		if i >= 0 && v[i] != nil {
			if err := a.store(start, value, v[i]); err != nil {
				return fmt.Errorf("socketio: argument %d: %w", i+1, err)
			}
		}
		i++
	}
	return nil
}

func (a *Args) store(start int, value []byte, v any) error {
	switch v := v.(type) {
	case *string:
		if value[0] == '"' && bytes.IndexByte(value, '\\') < 0 {
			*v = string(value[1 : len(value)-1])
			return nil
		}
	case *[]byte:
		if b, ok := a.packet.At(start, start+len(value)); ok {
			*v = b
			return nil
		}
	case *any:
		err := json.Unmarshal(value, v)
		*v = a.packet.Restore(*v)
		return err
	case *[]any:
		err := json.Unmarshal(value, v)
		a.packet.Restore(*v)
		return err
	case *map[string]any:
		err := json.Unmarshal(value, v)
		a.packet.Restore(*v)
		return err
	}
	if len(a.packet.Placeholders) > 0 {
		value = a.packet.Fill(nil, start, start+len(value))
	}
	return json.Unmarshal(value, v)
}

// Values are the arguments as encoding/json reads them into any, with []byte for attachments. Emit sends them on as they came.
func (a *Args) Values() []any {
	values := make([]any, a.Len())
	pointers := make([]any, len(values))
	for i := range values {
		pointers[i] = &values[i]
	}
	_ = a.Scan(pointers...) // it was valid JSON when it came
	return values
}

// WantsAck reports whether the client waits for an acknowledgement.
func (a *Args) WantsAck() bool { return a.skip > 0 && a.packet.HasID }

// Ack acknowledges the event, with any number of values. It may be called from any goroutine, also after the handler has
// returned; a second that succeeds does
// nothing. It fails with ErrNoAck when the client did not ask, and like
// Socket.Emit.
func (a *Args) Ack(v ...any) error {
	if !a.WantsAck() {
		return ErrNoAck
	}
	if a.acked.Load() {
		return nil
	}
	s := a.socket
	body, attachments, err := s.namespace.srv.encoder.AppendValues(nil, v)
	if err != nil {
		return err
	}
	if a.acked.Swap(true) {
		return nil
	}
	head := parser.AppendHead(make([]byte, 0, len(body)+32), parser.Ack, len(attachments), s.namespace.name)
	head = strconv.AppendUint(head, a.packet.ID, 10)
	err = s.send(0, append(head, body...), attachments)
	if err != nil {
		a.acked.Store(false)
	}
	return err
}

// messages are what a packet is to the engine.
func messages(text []byte, attachments [][]byte) []engineio.Message {
	group := make([]engineio.Message, 1, 1+len(attachments))
	group[0].Data = text
	for _, a := range attachments {
		group = append(group, engineio.Message{Data: a, Binary: true})
	}
	return group
}
