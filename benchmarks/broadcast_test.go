package benchmarks

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
)

// A prepared message to all sessions, until every one has been handed to its connection.
func BenchmarkBroadcast(b *testing.B) {
	for _, audience := range []int{100, 1_000} {
		b.Run(fmt.Sprint(audience), func(b *testing.B) {
			srv, addr := serve(b, engineio.Config{})
			for range audience {
				c, _ := open(b, addr)
				c.drain()
			}
			p := engineio.PrepareText(strings.Repeat("x", 256))
			b.ReportAllocs()
			for b.Loop() {
				srv.Broadcast(p)
				for s := range srv.Sessions() {
					if err := s.Flush(context.Background()); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*audience), "ns/delivery")
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	text := strings.Repeat("x", 256)
	b.ReportAllocs()
	for b.Loop() {
		engineio.PrepareText(text)
	}
}
