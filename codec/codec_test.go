package codec

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"
	"unicode/utf8"
)

// Shorthands for packets in tables.

func text(s string) Packet  { return Packet{Type: Message, Data: []byte(s)} }
func blob(s string) Packet  { return Packet{Type: Message, Binary: true, Data: []byte(s)} }
func control(t Type) Packet { return Packet{Type: t} }
func probe(t Type) Packet   { return Packet{Type: t, Data: []byte("probe")} }
func equal(a, b Packet) bool {
	return a.Type == b.Type && a.Binary == b.Binary && bytes.Equal(a.Data, b.Data)
}

// checkPackets fails the test unless got equals want, packet by packet.
func checkPackets(t *testing.T, got, want []Packet) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("got %d packets %v, want %d", len(got), got, len(want))
	}
	for i := range want {
		if !equal(got[i], want[i]) {
			t.Fatalf("packet %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

// checkPacket fails the test unless p holds what the doc comment of Packet promises.
func checkPacket(t *testing.T, p Packet) {
	t.Helper()
	switch {
	case !p.Type.known():
		t.Fatalf("unknown type in %v", p)
	case p.Binary && p.Type != Message:
		t.Fatalf("binary packet is no message: %v", p)
	case !p.Binary && !utf8.Valid(p.Data):
		t.Fatalf("text is not UTF-8: %v", p)
	case cap(p.Data) != len(p.Data):
		t.Fatalf("data has spare capacity: %v", p)
	}
}

// encode returns the payload of the packets.
func encode(f Format, packets []Packet) []byte {
	var payload []byte
	for _, p := range packets {
		payload = f.Append(payload, p)
	}
	return payload
}

// decode returns the packets of a copy of body, and nil or the error that ended it. It
// checks on the way that the error sticks and is one of ours.
func decode(t *testing.T, f Format, body []byte) ([]Packet, error) {
	t.Helper()
	d := f.Decode(bytes.Clone(body))
	var packets []Packet
	for {
		p, err := d.Next()
		if err != nil {
			if _, again := d.Next(); again != err {
				t.Fatalf("Next after %v returned %v", err, again)
			}
		}
		if err == io.EOF {
			return packets, nil
		}
		if err != nil {
			if !errors.Is(err, ErrParse) {
				t.Fatalf("error %v is no ErrParse", err)
			}
			return packets, err
		}
		checkPacket(t, p)
		packets = append(packets, p)
	}
}

// randomPacket returns a packet that all formats can represent.
func randomPacket(r *rand.Rand) Packet {
	alphabet := []rune("a0:b4€😀é\x00\n\u2028\uffff\U0010ffff")
	p := Packet{Type: Open + Type(r.IntN(7)), Binary: r.IntN(3) == 0}
	n := r.IntN(40)
	if r.IntN(20) == 0 {
		n = r.IntN(5000)
	}
	if p.Binary {
		p.Type = Message
		for range n {
			p.Data = append(p.Data, byte(r.Uint32()))
		}
		return p
	}
	ascii := r.IntN(2) == 0
	for range n {
		c := 'x'
		if !ascii {
			c = alphabet[r.IntN(len(alphabet))]
		}
		p.Data = utf8.AppendRune(p.Data, c)
	}
	return p
}

func TestTypeString(t *testing.T) {
	names := ""
	for typ := Open - 1; typ <= Noop+1; typ++ {
		names += fmt.Sprint(typ, " ")
	}
	const want = "Type(47) open close ping pong message upgrade noop Type(55) "
	if names != want {
		t.Errorf("got %q, want %q", names, want)
	}
}

func TestErrors(t *testing.T) {
	for _, err := range []error{ErrEmpty, ErrType, ErrUTF8, ErrBase64, ErrLength, ErrForm} {
		if !errors.Is(err, ErrParse) || !errors.Is(fmt.Errorf("wrapped: %w", err), ErrParse) {
			t.Errorf("%v is no ErrParse", err)
		}
	}
	if errors.Is(ErrEmpty, ErrType) || errors.Is(ErrParse, ErrEmpty) {
		t.Error("distinct errors match")
	}
	if got := ErrEmpty.Error(); got != "codec: empty packet" {
		t.Errorf("got %q", got)
	}
}
