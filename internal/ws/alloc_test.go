//go:build !race

package ws

import (
	"net"
	"testing"
)

// replay is a connection that sends the same bytes for ever.
type replay struct {
	net.Conn
	data []byte
	at   int
}

func (c *replay) Read(p []byte) (int, error) {
	n := copy(p, c.data[c.at:])
	if c.at += n; c.at == len(c.data) {
		c.at = 0
	}
	return n, nil
}

func TestNoAllocs(t *testing.T) {
	packed := frames(fin|rsv1|2, deflated(t, long))
	for name, in := range map[string][]byte{
		"small":      frames(fin|1, "42[\"message\",{\"a\":1}]", fin|10, "x"),
		"long":       frames(fin|2, long),
		"fragments":  frames(1, "abc", 0, "def", fin, "ghi"),
		"compressed": packed,
	} {
		r := NewReader(&replay{data: in}, nil, 1<<20)
		r.AcceptDeflated()
		if n := testing.AllocsPerRun(500, func() {
			if _, _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per message", name, n)
		}
		r.Release()
	}
}

func TestNoAllocsOnSocket(t *testing.T) {
	server, client := tcpPair(t)
	r := NewReader(server, nil, 1<<20)
	for name, in := range map[string][]byte{"small": frames(fin|1, "hello"), "long": frames(fin|2, long)} {
		if n := testing.AllocsPerRun(200, func() {
			client.Write(in)
			if _, _, err := r.Next(); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations per message", name, n)
		}
	}
}

func TestNoAllocsWriting(t *testing.T) {
	dst := make([]byte, 0, 64<<10)
	payload := []byte(long)
	if n := testing.AllocsPerRun(100, func() {
		b := append(AppendHeader(dst, Text, len(payload)), payload...)
		if op, p, rest := Split(b); op != Text || len(p) != len(payload) || len(rest) != 0 {
			t.Fatal("split")
		}
		AppendClose(dst, 1000, "bye")
		AppendDeflated(dst, Text, payload)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
