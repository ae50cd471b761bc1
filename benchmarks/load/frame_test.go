package main

import (
	"bytes"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// unmasked reads a client's frame with the header parser for servers' frames.
func unmasked(t *testing.T, frame []byte) (op byte, payload, rest []byte) {
	t.Helper()
	plain := bytes.Clone(frame)
	plain[1] &^= 0x80
	first, head, n, ok, err := header(plain)
	if !ok || err != nil || frame[1]&0x80 == 0 {
		t.Fatalf("no masked frame: % x", frame[:min(len(frame), 20)])
	}
	key := plain[head : head+4]
	payload = plain[head+4 : head+4+n]
	for i := range payload {
		payload[i] ^= key[i&3]
	}
	return first & 15, payload, frame[head+4+n:]
}

func TestOutgoingFramesCarryTheirNumbers(t *testing.T) {
	for _, size := range []int{16, 64, 125, 126, 1 << 10, 70_000} {
		o := newOutgoing(9, size, 3)
		for _, first := range []uint64{0, 41, 1 << 35} {
			rest := o.stamp(first, 3)
			for i := range uint64(3) {
				var op byte
				var payload []byte
				op, payload, rest = unmasked(t, rest)
				want := append([]byte("4"), stamp.Message(9, first+i, size)...)
				if op != opText || !bytes.Equal(payload, want) {
					t.Fatalf("size %d: frame %d is %d %.40q, want %.40q", size, i, op, payload, want)
				}
			}
			if len(rest) != 0 {
				t.Errorf("size %d: %d bytes more", size, len(rest))
			}
		}
	}
}

// scripted is a connection that delivers a script in pieces of n bytes.
type scripted struct {
	net.Conn
	script []byte
	n      int
}

func (c *scripted) Read(p []byte) (int, error) {
	if len(c.script) == 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(c.n, len(p))], c.script)
	c.script = c.script[n:]
	return n, nil
}

func (c *scripted) Write(p []byte) (int, error) { return len(p), nil }

func serverFrame(first byte, payload string) string {
	switch n := len(payload); {
	case n < 126:
		return string([]byte{first, byte(n)}) + payload
	default:
		return string([]byte{first, 126, byte(n >> 8), byte(n)}) + payload
	}
}

func TestStreamJoinsFragments(t *testing.T) {
	long := strings.Repeat("x", 9_000)
	script := serverFrame(0x81, "4one") +
		serverFrame(0x01, "4t") + serverFrame(0x89, "ping") + serverFrame(0x00, "w") + serverFrame(0x80, "o") +
		serverFrame(0x81, long) + serverFrame(0x82, "")
	for _, n := range []int{1, 2, 3, 1000, 1 << 20} {
		s := &stream{wire: newWire(&scripted{script: []byte(script), n: n}, 0)}
		for _, want := range []string{"4one", "4two", long, ""} {
			got, err := s.receive()
			if err != nil || string(got) != want {
				t.Fatalf("pieces of %d: got %.20q, %v, want %.20q", n, got, err, want)
			}
		}
		if _, err := s.receive(); err != io.EOF {
			t.Errorf("pieces of %d: at the end %v", n, err)
		}
	}
}

func TestStreamRefusesWhatIsWrong(t *testing.T) {
	for name, script := range map[string]string{
		"masked":                   "\x81\x81....x",
		"compressed":               serverFrame(0xc1, "x"),
		"continuation of nothing":  serverFrame(0x80, "x"),
		"message within a message": serverFrame(0x01, "x") + serverFrame(0x81, "y"),
		"close":                    serverFrame(0x88, "\x03\xe8bye"),
		"huge":                     "\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		s := &stream{wire: newWire(&scripted{script: []byte(script), n: 100}, 0)}
		if got, err := s.receive(); err == nil || err == io.EOF {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}
