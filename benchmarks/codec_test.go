package benchmarks

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/fasteio/engineio/codec"
)

var formats = []struct {
	name   string
	format codec.Format
}{{"text4", codec.Text4}, {"text3", codec.Text3}, {"binary3", codec.Binary3}}

// payloads are what a polling request may carry: many small packets, or few large ones.
var payloads = []struct{ packets, size int }{{1, 64}, {64, 64}, {8, 16 << 10}}

// packetOf is a message of so many bytes, as text or binary.
func packetOf(binary bool, size int) codec.Packet {
	return codec.Packet{Type: codec.Message, Binary: binary, Data: bytes.Repeat([]byte("x"), size)}
}

// eachPayload runs a benchmark for every format, kind of message and shape of payload.
func eachPayload(b *testing.B, run func(b *testing.B, f codec.Format, p codec.Packet, n int)) {
	for _, f := range formats {
		for _, kind := range []string{"text", "binary"} {
			for _, c := range payloads {
				b.Run(fmt.Sprintf("%s/%s/%dx%d", f.name, kind, c.packets, c.size), func(b *testing.B) {
					b.ReportAllocs()
					b.SetBytes(int64(c.packets * c.size))
					run(b, f.format, packetOf(kind == "binary", c.size), c.packets)
				})
			}
		}
	}
}

func BenchmarkEncodePayload(b *testing.B) {
	eachPayload(b, func(b *testing.B, f codec.Format, p codec.Packet, n int) {
		var payload []byte
		for b.Loop() {
			payload = payload[:0]
			for range n {
				payload = f.Append(payload, p)
			}
		}
	})
}

func BenchmarkDecodePayload(b *testing.B) {
	eachPayload(b, func(b *testing.B, f codec.Format, p codec.Packet, n int) {
		var payload []byte
		for range n {
			payload = f.Append(payload, p)
		}
		body := make([]byte, len(payload))
		for b.Loop() {
			copy(body, payload) // decoding overwrites it
			d := f.Decode(body)
			for range n {
				if _, err := d.Next(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// One packet, as a WebSocket carries it.
func BenchmarkMessage(b *testing.B) {
	for _, r := range []codec.Revision{codec.V4, codec.V3} {
		for _, size := range []int{64, 16 << 10} {
			p := packetOf(false, size)
			b.Run(fmt.Sprintf("encode%d/%d", r, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				var dst []byte
				for b.Loop() {
					dst = r.AppendMessage(dst[:0], p)
				}
			})
			b.Run(fmt.Sprintf("decode%d/%d", r, size), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				message := r.AppendMessage(nil, p)
				for b.Loop() {
					if _, err := r.DecodeMessage(false, message); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
