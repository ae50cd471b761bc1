package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"
)

// messages are the exact bytes of WebSocket messages, for peers with and without binary.
var messages = []struct {
	rev    Revision
	packet Packet
	wire   string // AppendMessage
	text   string // AppendText
}{
	{V4, text("test"), "4test", "4test"},
	{V4, text("€😀"), "4€😀", "4€😀"},
	{V4, text(""), "4", "4"},
	{V4, text("a\x1eb"), "4a\x1eb", "4a\x1eb"},
	{V4, control(Open), "0", "0"},
	{V4, control(Close), "1", "1"},
	{V4, probe(Ping), "2probe", "2probe"},
	{V4, probe(Pong), "3probe", "3probe"},
	{V4, control(Upgrade), "5", "5"},
	{V4, control(Noop), "6", "6"},
	{V4, blob("\x01\x02\x03\x04"), "\x01\x02\x03\x04", "bAQIDBA=="},
	{V4, blob("\xff\xfe\xfd"), "\xff\xfe\xfd", "b//79"},
	{V4, blob(""), "", "b"},
	{V3, text("test"), "4test", "4test"},
	{V3, probe(Ping), "2probe", "2probe"},
	{V3, blob("\x01\x02\x03\x04"), "\x04\x01\x02\x03\x04", "b4AQIDBA=="},
	{V3, blob(""), "\x04", "b4"},
}

func TestMessages(t *testing.T) {
	for _, tt := range messages {
		if got := tt.rev.AppendMessage([]byte("x"), tt.packet); string(got) != "x"+tt.wire {
			t.Errorf("revision %d, %v: got message %q, want x%q", tt.rev, tt.packet, got, tt.wire)
		}
		if got := tt.rev.AppendText([]byte("x"), tt.packet); string(got) != "x"+tt.text {
			t.Errorf("revision %d, %v: got text %q, want x%q", tt.rev, tt.packet, got, tt.text)
		}
		p, err := tt.rev.DecodeMessage(tt.packet.Binary, []byte(tt.wire))
		if err != nil || !equal(p, tt.packet) {
			t.Errorf("revision %d, message %q: got %v, %v", tt.rev, tt.wire, p, err)
		}
		p, err = tt.rev.DecodeMessage(false, []byte(tt.text))
		if err != nil || !equal(p, tt.packet) {
			t.Errorf("revision %d, text %q: got %v, %v", tt.rev, tt.text, p, err)
		}
	}
}

// An encoder ignores the type of a binary packet, as its contract says.
func TestBinaryIsMessage(t *testing.T) {
	p := Packet{Type: Ping, Binary: true, Data: []byte{1}}
	if got := V3.AppendMessage(nil, p); string(got) != "\x04\x01" {
		t.Errorf("message %q", got)
	}
	if got := V3.AppendText(nil, p); string(got) != "b4AQ==" {
		t.Errorf("text %q", got)
	}
}

func TestMessageErrors(t *testing.T) {
	for _, tt := range []struct {
		rev    Revision
		binary bool
		wire   string
		want   error
	}{
		{V4, false, "", ErrEmpty},
		{V4, false, "a123", ErrType},
		{V4, false, "7", ErrType},
		{V4, false, "/", ErrType},
		{V4, false, "\x04abc", ErrType},
		{V4, false, "4\xff", ErrUTF8},
		{V4, false, "2\xed\xa0\x80", ErrUTF8}, // a lone surrogate
		{V4, false, "bAQIDBA", ErrBase64},
		{V4, false, "bA", ErrBase64},
		{V4, false, "b____", ErrBase64}, // URL alphabet
		{V4, false, "b4AQIDBA==", ErrBase64},
		{V3, false, "", ErrEmpty},
		{V3, false, "9", ErrType},
		{V3, false, "b", ErrType},
		{V3, false, "b2AQIDBA==", ErrType},
		{V3, false, "b4AQ", ErrBase64},
		{V3, true, "", ErrEmpty},
		{V3, true, "4text", ErrType},
		{V3, true, "\x02", ErrType},
	} {
		p, err := tt.rev.DecodeMessage(tt.binary, []byte(tt.wire))
		if err != tt.want || !errors.Is(err, ErrParse) {
			t.Errorf("revision %d, %q: got %v, %v, want %v", tt.rev, tt.wire, p, err, tt.want)
		}
	}
}

// Base64 is decoded over itself; encoding/base64 does not promise that this works.
func TestBase64InPlace(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 300 {
		data := make([]byte, n)
		for i := range data {
			data[i] = byte(r.Uint32())
		}
		wire := V4.AppendText(nil, Packet{Type: Message, Binary: true, Data: data})
		p, err := V4.DecodeMessage(false, wire)
		if err != nil || !bytes.Equal(p.Data, data) {
			t.Fatalf("%d bytes: got %x, %v, want %x", n, p.Data, err, data)
		}
		if n > 0 && &p.Data[0] != &wire[1] {
			t.Fatalf("%d bytes: data does not alias the input", n)
		}
	}
}

func FuzzDecodeMessage(f *testing.F) {
	for _, tt := range messages {
		f.Add(tt.rev == V3, tt.packet.Binary, []byte(tt.wire))
		f.Add(tt.rev == V3, false, []byte(tt.text))
	}
	f.Fuzz(func(t *testing.T, old, binary bool, wire []byte) {
		rev := V4
		if old {
			rev = V3
		}
		p, err := rev.DecodeMessage(binary, bytes.Clone(wire))
		if err != nil {
			if !errors.Is(err, ErrParse) {
				t.Fatalf("error %v is no ErrParse", err)
			}
			return
		}
		checkPacket(t, p)
		again, err := rev.DecodeMessage(p.Binary, rev.AppendMessage(nil, p))
		if err != nil || !equal(again, p) {
			t.Fatalf("message: got %v, %v, want %v", again, err, p)
		}
		again, err = rev.DecodeMessage(false, rev.AppendText(nil, p))
		if err != nil || !equal(again, p) {
			t.Fatalf("text: got %v, %v, want %v", again, err, p)
		}
	})
}
