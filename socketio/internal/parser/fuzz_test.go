package parser

import (
	"bytes"
	"encoding/json"
	"testing"
)

// FuzzDecode asks of every text that is taken that it can be written again, and then is the same packet.
func FuzzDecode(f *testing.F) {
	for _, text := range []string{`0{"a":1}`, `0/x,`, `1`, `2["a",1]`, `2/x,12["a"]`, `31[null]`, `4"no"`, `50-["a"]`, `61-/x,1[{"_placeholder":true,"num":0}]`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Decode(text)
		if err != nil {
			return
		}
		if len(p.Data) > 0 && !json.Valid(p.Data) {
			t.Fatalf("took %q", p.Data)
		}
		var values []json.RawMessage
		if p.Type == Event || p.Type == Ack {
			if len(p.Data) > 0 && json.Unmarshal(p.Data, &values) != nil {
				t.Fatalf("took %q", p.Data)
			}
			n := 0
			for _, value := range Elements(p.Data) {
				if n >= len(values) || !bytes.Equal(value, values[n]) {
					t.Fatalf("element %d of %q is %q", n, p.Data, value)
				}
				n++
			}
			if n != len(values) {
				t.Fatalf("%d elements in %q", n, p.Data)
			}
		}
		again := AppendHead(nil, p.Type, p.count, p.Namespace)
		if p.HasID {
			id, _ := json.Marshal(p.ID)
			again = append(again, id...)
		}
		q, err := Decode(append(again, p.Data...))
		if err != nil || q.Type != p.Type || q.Namespace != p.Namespace || q.ID != p.ID || q.HasID != p.HasID || !bytes.Equal(q.Data, p.Data) {
			t.Fatalf("%q is %+v, then %+v, %v", text, p, q, err)
		}
	})
}

// FuzzDecoder cuts its input into messages, as a client that means ill would send them.
func FuzzDecoder(f *testing.F) {
	f.Add([]byte("t52-[\"a\",{\"_placeholder\":true,\"num\":0},[{\"num\":1,\"_placeholder\":true}]]\x00b\x01\x02\x00b\x03"))
	f.Add([]byte("t51-[\"a\",{\"_placeholder\":true,\"num\":0,\"x\":{\"_placeholder\":true}}]\x00bx\x00t2[\"a\"]\x00b"))
	f.Fuzz(func(t *testing.T, script []byte) {
		d := &Decoder{MaxAttachments: 4, MaxAttachmentBytes: 64}
		for _, message := range bytes.Split(script, []byte{0}) {
			if len(message) == 0 {
				continue
			}
			decode := d.Text
			if message[0] == 'b' {
				decode = d.Binary
			}
			p, done, err := decode(message[1:])
			if err != nil {
				return
			}
			if held := d.partial; held != nil && (len(held.Attachments) >= 4 || d.bytes > 64) {
				t.Fatalf("holds %d attachments of %d bytes", len(held.Attachments), d.bytes)
			}
			if done {
				checkComplete(t, p)
			}
		}
	})
}

func checkComplete(t *testing.T, p Packet) {
	if len(p.Attachments) != p.count {
		t.Fatalf("%d attachments of %d", len(p.Attachments), p.count)
	}
	last := 0
	for _, place := range p.Placeholders {
		if place.Start < last || !json.Valid(p.Data[place.Start:place.End]) || place.Num >= p.count {
			t.Fatalf("%+v in %q", place, p.Data)
		}
		last = place.End
	}
	if len(p.Data) == 0 {
		return
	}
	filled := p.Fill(nil, 0, len(p.Data))
	if limit := len(p.Data) + 2*64 + 4*4; len(filled) > limit {
		t.Fatalf("filled %d bytes", len(filled))
	}
	var v any
	if !json.Valid(filled) || json.Unmarshal(p.Data, &v) != nil {
		t.Fatalf("%q filled is %q", p.Data, filled)
	}
	p.Restore(v)
}
