package benchmarks

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/fasteio/engineio"
)

var sizes = []int{64, 16 << 10}

func echo(s *engineio.Session, m engineio.Message) { _ = s.SendText(string(m.Data)) }

// One message at a time to an engine on loopback and back.
func BenchmarkEcho(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			_, addr := serve(b, engineio.Config{OnMessage: echo})
			c, _ := open(b, addr)
			in, answer := masked(size), make([]byte, len(masked(size))-4) // not masked
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Write(in); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c.in, answer); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// 64 messages in one write, and their echoes.
func BenchmarkEchoBatch(b *testing.B) {
	const batch = 64
	_, addr := serve(b, engineio.Config{OnMessage: echo})
	c, _ := open(b, addr)
	one := masked(64)
	in, answer := []byte(strings.Repeat(string(one), batch)), make([]byte, (len(one)-4)*batch)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Write(in); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(c.in, answer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/msg")
}

// Incoming messages, as fast as they come, up to OnMessage.
func BenchmarkReceive(b *testing.B) {
	for _, size := range sizes {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			var left atomic.Int64
			done := make(chan struct{})
			_, addr := serve(b, engineio.Config{OnMessage: func(*engineio.Session, engineio.Message) {
				if left.Add(-1) == 0 {
					close(done)
				}
			}})
			c, _ := open(b, addr)
			left.Store(int64(b.N))
			b.ReportAllocs()
			b.SetBytes(int64(size))
			b.ResetTimer()
			flood(b, c, masked(size), b.N)
			<-done
		})
	}
}

// flood writes n copies of a frame, as many at a time as fit into 64 KiB.
func flood(b *testing.B, w io.Writer, frame []byte, n int) {
	at := max(1, 64<<10/len(frame))
	many := []byte(strings.Repeat(string(frame), at))
	for ; n > 0; n -= at {
		if _, err := w.Write(many[:min(n, at)*len(frame)]); err != nil {
			b.Fatal(err)
		}
	}
}

// Sends to a client that reads, with a flush after every 32.
func BenchmarkSend(b *testing.B) {
	for _, size := range sizes {
		text := strings.Repeat("x", size)
		prepared := engineio.PrepareText(text)
		for name, send := range map[string]func(s *engineio.Session) error{
			"text":     func(s *engineio.Session) error { return s.SendText(text) },
			"prepared": func(s *engineio.Session) error { return s.SendPrepared(prepared) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				s := listener(b)
				b.ReportAllocs()
				b.SetBytes(int64(size))
				i := 0
				for b.Loop() {
					if err := send(s); err != nil {
						b.Fatal(err)
					}
					if i++; i%32 == 0 {
						if err := s.Flush(context.Background()); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// What a send costs that is handed over at once.
func BenchmarkSendAndFlush(b *testing.B) {
	s := listener(b)
	text := strings.Repeat("x", 64)
	b.ReportAllocs()
	for b.Loop() {
		if err := s.SendText(text); err != nil {
			b.Fatal(err)
		}
		if err := s.Flush(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// listener is a session whose client reads all there is.
func listener(b *testing.B) *engineio.Session {
	b.Helper()
	srv, addr := serve(b, engineio.Config{})
	c, sid := open(b, addr)
	c.drain()
	s, ok := srv.Session(sid)
	if !ok {
		b.Fatal("no session")
	}
	return s
}
