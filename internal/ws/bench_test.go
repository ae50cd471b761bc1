package ws

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
)

// flood writes in, repeated, to c until it is closed.
func flood(c net.Conn, in []byte) {
	for {
		if _, err := c.Write(in); err != nil {
			return
		}
	}
}

// Messages as fast as they come: 64 bytes of payload in segments of 64 KB, then single large ones.
func BenchmarkRead(b *testing.B) {
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){"tcp": tcpPair, "tls": tlsPair} {
		for _, size := range []int{64, 1 << 10, 16 << 10, 256 << 10} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				server, client := pair(b)
				var in []byte
				for len(in) < 64<<10 {
					in = append(in, frames(fin|2, strings.Repeat("x", size))...)
				}
				go flood(client, in)
				r := NewReader(server, nil, 1<<20)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := r.Next(); err != nil {
						b.Fatal(err)
					}
				}
				server.Close()
			})
		}
	}
}

// The Reader alone, from memory.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []int{64, 16 << 10} {
		for _, kind := range []int{fin | 1, fin | 2} {
			b.Run(fmt.Sprintf("%d/%d", kind&3, size), func(b *testing.B) {
				var in []byte
				for len(in) < 64<<10 {
					in = append(in, frames(kind, strings.Repeat("x", size))...)
				}
				var r *Reader
				early := make([]byte, len(in))
				n := len(in) / (size + 8)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					if i%n == 0 {
						copy(early, in)
						r = NewReader(nil, early, 1<<20)
					}
					r.Next()
				}
			})
		}
	}
}

// One message at a time, echoed: what a quiet connection pays.
func BenchmarkEcho(b *testing.B) {
	for name, pair := range map[string]func(testing.TB) (net.Conn, net.Conn){"tcp": tcpPair, "tls": tlsPair} {
		b.Run(name, func(b *testing.B) {
			server, client := pair(b)
			go func() {
				r := NewReader(server, nil, 1<<20)
				defer r.Release()
				var out []byte
				for {
					op, payload, err := r.Next()
					if err != nil {
						return
					}
					out = append(AppendHeader(out[:0], op, len(payload)), payload...)
					server.Write(out)
				}
			}()
			in, answer := frames(fin|1, strings.Repeat("x", 64)), make([]byte, 66)
			b.ReportAllocs()
			for b.Loop() {
				client.Write(in)
				io.ReadFull(client, answer)
			}
		})
	}
}

func BenchmarkUnmask(b *testing.B) {
	for _, size := range []int{16, 64, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := make([]byte, size)
			b.SetBytes(int64(size))
			for b.Loop() {
				unmask(p, 0x12345678)
			}
		})
	}
	b.Run("bytewise/1024", func(b *testing.B) {
		p := make([]byte, 1<<10)
		key := [4]byte{1, 2, 3, 4}
		b.SetBytes(1 << 10)
		for b.Loop() {
			for i := range p {
				p[i] ^= key[i&3]
			}
		}
	})
}

func BenchmarkAppendDeflated(b *testing.B) {
	for _, size := range []int{64, 1 << 10, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := []byte(strings.Repeat(`42["message",{"id":17,"text":"hello"}]`, size/38+1)[:size])
			var dst []byte
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				dst = AppendDeflated(dst[:0], Text, p)
			}
		})
	}
}

func BenchmarkInflate(b *testing.B) {
	for _, size := range []int{1 << 10, 16 << 10} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			in := frames(fin|rsv1|1, deflated(b, strings.Repeat(`42["message",{"id":17,"text":"hello"}]`, size/38+1)[:size]))
			early := make([]byte, len(in))
			b.SetBytes(int64(size))
			for b.Loop() {
				copy(early, in)
				r := NewReader(nil, early, 1<<20)
				r.AcceptDeflated()
				if _, _, err := r.Next(); err != nil {
					b.Fatal(err)
				}
				r.Release()
			}
		})
	}
}
