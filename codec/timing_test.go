package codec

import (
	"io"
	"strings"
	"testing"
)

// The payload of the benchmarks: 64 packets of 64 bytes.
const (
	benchPackets = 64
	benchSize    = 64
)

var benchData = map[string]Packet{
	"ascii":  text(strings.Repeat("x", benchSize)),
	"utf8":   text(strings.Repeat("é€", benchSize/5) + "wxyz"),
	"binary": blob(strings.Repeat("\xfe", benchSize)),
}

func benchPayload(f Format, p Packet) []byte {
	var payload []byte
	for range benchPackets {
		payload = f.Append(payload, p)
	}
	return payload
}

func forPayloads(b *testing.B, run func(b *testing.B, f Format, p Packet)) {
	for _, f := range []Format{Text4, Text3, Binary3} {
		for _, data := range []string{"ascii", "utf8", "binary"} {
			b.Run(formatNames[f]+"/"+data, func(b *testing.B) { run(b, f, benchData[data]) })
		}
	}
}

// BenchmarkAppend is the cost of one packet behind others.
func BenchmarkAppend(b *testing.B) {
	forPayloads(b, func(b *testing.B, f Format, p Packet) {
		dst := f.Append(make([]byte, 0, 1<<10), p)
		b.SetBytes(benchSize)
		b.ReportAllocs()
		for b.Loop() {
			f.Append(dst, p)
		}
	})
}

// BenchmarkEncode is the cost of a payload.
func BenchmarkEncode(b *testing.B) {
	forPayloads(b, func(b *testing.B, f Format, p Packet) {
		dst := benchPayload(f, p)
		b.SetBytes(int64(len(dst)))
		b.ReportAllocs()
		for b.Loop() {
			dst = dst[:0]
			for range benchPackets {
				dst = f.Append(dst, p)
			}
		}
	})
}

// BenchmarkDecode is the cost of a payload, and of copying it, because decoding overwrites it.
func BenchmarkDecode(b *testing.B) {
	forPayloads(b, func(b *testing.B, f Format, p Packet) {
		wire := benchPayload(f, p)
		body := make([]byte, len(wire))
		b.SetBytes(int64(len(wire)))
		b.ReportAllocs()
		for b.Loop() {
			copy(body, wire)
			d := f.Decode(body)
			for {
				if _, err := d.Next(); err != nil {
					if err != io.EOF {
						b.Fatal(err)
					}
					break
				}
			}
		}
	})
}

func BenchmarkAppendMessage(b *testing.B) {
	dst := make([]byte, 0, 1<<10)
	p := benchData["ascii"]
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		V4.AppendMessage(dst, p)
	}
}

func BenchmarkDecodeMessage(b *testing.B) {
	wire := V4.AppendMessage(nil, benchData["ascii"])
	b.SetBytes(int64(len(wire)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := V4.DecodeMessage(false, wire); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkUTF16Len(b *testing.B) {
	for _, data := range []string{"ascii", "utf8"} {
		b.Run(data, func(b *testing.B) {
			s := benchData[data].Data
			b.SetBytes(int64(len(s)))
			for b.Loop() {
				utf16Len(s)
			}
		})
	}
}

func BenchmarkAppendJSONP(b *testing.B) {
	payload := benchPayload(Text4, benchData["ascii"])
	dst := AppendJSONP(nil, []byte("0"), payload)
	b.SetBytes(int64(len(payload)))
	b.ReportAllocs()
	for b.Loop() {
		dst = AppendJSONP(dst[:0], []byte("0"), payload)
	}
}

func BenchmarkDecodeJSONP(b *testing.B) {
	form := append([]byte("d="), benchPayload(Text3, benchData["ascii"])...)
	body := make([]byte, len(form))
	b.SetBytes(int64(len(form)))
	b.ReportAllocs()
	for b.Loop() {
		copy(body, form)
		if _, err := DecodeJSONP(body); err != nil {
			b.Fatal(err)
		}
	}
}
