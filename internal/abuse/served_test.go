package abuse

import (
	"slices"
	"testing"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// served checks that normal clients of every way and revision connect, are answered and leave in good order.
func served(t *testing.T, x *target) {
	t.Helper()
	before := x.counts(t)
	n := 0
	for _, way := range enginetest.Ways {
		for _, revision := range revisions {
			visit(t, x, enginetest.Setup{Way: way, Revision: revision})
			n++
		}
	}
	x.ended(t, before, "client close", n)
}

func visit(t *testing.T, x *target, setup enginetest.Setup) {
	t.Helper()
	c, err := enginetest.Dial(x.http(), setup)
	if err != nil {
		t.Fatalf("a normal client (%s, %d): %v", setup.Way, setup.Revision, err)
	}
	defer c.Close()
	echoes(t, c, enginetest.Text("héllo <\u2028>"), enginetest.Binary([]byte{0, 1, 2, 0xff, 0x1e}))
	if err := c.Send(codec.Packet{Type: codec.Close}); err != nil {
		t.Fatalf("a normal client (%s, %d) says goodbye: %v", setup.Way, setup.Revision, err)
	}
	p, ok := c.(*enginetest.Polling)
	if !ok {
		if code := c.(*enginetest.WebSocket).CloseCode(); code != 1000 {
			t.Errorf("a normal client (%s, %d) is told %d", setup.Way, setup.Revision, code)
		}
		return
	}
	if packets, err := p.Poll(); err != nil || len(packets) != 1 || packets[0].Type != codec.Noop {
		t.Errorf("a normal client (%s, %d) ends with %v, %v", setup.Way, setup.Revision, packets, err)
	}
}

// echoes checks that c gets back what it sends.
func echoes(t *testing.T, c enginetest.Client, packets ...codec.Packet) {
	t.Helper()
	if err := c.Send(packets...); err != nil {
		t.Fatalf("send: %v", err)
	}
	for _, want := range packets {
		got, err := enginetest.Next(c)
		if err != nil {
			t.Fatalf("no echo of %.60q: %v", want.Data, err)
		}
		if got.Type != want.Type || got.Binary != want.Binary || string(got.Data) != string(want.Data) {
			t.Fatalf("%v %.60q in place of %.60q", got.Type, got.Data, want.Data)
		}
	}
}

// leave checks that c is served, and says goodbye.
func leave(t *testing.T, x *target, c enginetest.Client) {
	t.Helper()
	before := x.counts(t)
	echoes(t, c, enginetest.Text("still there"))
	if err := c.Send(codec.Packet{Type: codec.Close}); err != nil {
		t.Fatal(err)
	}
	if p, ok := c.(*enginetest.Polling); ok {
		_, _ = p.Poll() // the last word; without it the session is remembered for two seconds
	}
	c.Close()
	x.ended(t, before, "client close", 1)
}

// pace is the median time of a normal client's echo by WebSocket.
func pace(t *testing.T, x *target) time.Duration {
	t.Helper()
	c, err := enginetest.Dial(x.http(), enginetest.Setup{Way: enginetest.ByWebSocket})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var times []time.Duration
	for range size(5, 51) {
		start := time.Now()
		echoes(t, c, enginetest.Text("how long?"))
		times = append(times, time.Since(start))
	}
	slices.Sort(times)
	return times[len(times)/2]
}
