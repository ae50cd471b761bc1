package codec

import (
	"bytes"
	"math/rand/v2"
	"strings"
	"testing"
)

var formatNames = map[Format]string{Text4: "Text4", Text3: "Text3", Binary3: "Binary3"}

// payloads are exact bytes, as servers and clients of the reference write them.
var payloads = []struct {
	format  Format
	packets []Packet
	wire    string
}{
	{Text4, []Packet{text("hello")}, "4hello"},
	{Text4, []Packet{text("hello"), control(Ping), text("world")}, "4hello\x1e2\x1e4world"},
	{Text4, []Packet{text("test"), blob("\x01\x02\x03\x04")}, "4test\x1ebAQIDBA=="},
	{Text4, []Packet{control(Open), control(Close), probe(Ping), probe(Pong), text("test")}, "0\x1e1\x1e2probe\x1e3probe\x1e4test"},
	{Text4, []Packet{text(""), blob(""), text("€😀")}, "4\x1eb\x1e4€😀"},
	{Text4, []Packet{control(Noop), control(Close)}, "6\x1e1"},

	{Text3, []Packet{text("hello"), text("€")}, "6:4hello2:4€"},
	{Text3, []Packet{text("€😀")}, "4:4€😀"},
	{Text3, []Packet{text("€"), blob("\x01\x02\x03\x04")}, "2:4€10:b4AQIDBA=="},
	{Text3, []Packet{probe(Ping)}, "6:2probe"},
	{Text3, []Packet{control(Pong)}, "1:3"},
	{Text3, []Packet{control(Noop), control(Close)}, "1:61:1"},
	{Text3, []Packet{text(""), blob("")}, "1:42:b4"},
	{Text3, []Packet{text("1:4"), text("x\x1ey")}, "4:41:44:4x\x1ey"},

	{Binary3, []Packet{text("€"), blob("\x01\x02\x03\x04")}, "\x00\x04\xff4€\x01\x05\xff\x04\x01\x02\x03\x04"},
	{Binary3, []Packet{text("hello"), blob("\x01\x02\x03\x04")}, "\x00\x06\xff4hello\x01\x05\xff\x04\x01\x02\x03\x04"},
	{Binary3, []Packet{control(Noop), blob("")}, "\x00\x01\xff6\x01\x01\xff\x04"},
	{Binary3, []Packet{blob("0123456789\xff")}, "\x01\x01\x02\xff\x040123456789\xff"},
}

func TestPayloads(t *testing.T) {
	for _, tt := range payloads {
		if got := encode(tt.format, tt.packets); string(got) != tt.wire {
			t.Errorf("%s: got %q, want %q", formatNames[tt.format], got, tt.wire)
		}
		got, err := decode(t, tt.format, []byte(tt.wire))
		if err != nil {
			t.Errorf("%s %q: %v", formatNames[tt.format], tt.wire, err)
			continue
		}
		checkPackets(t, got, tt.packets)
	}
}

// What the reference writes differently than we do, or would not write.
func TestPayloadsAccepted(t *testing.T) {
	for _, tt := range []struct {
		format  Format
		wire    string
		packets []Packet
	}{
		{Text3, "0:", nil}, // a payload of no packets
		{Text3, "0:1:60:0:2:4a", []Packet{control(Noop), text("a")}},
		{Text3, "002:4a", []Packet{text("a")}},
		{Text3, "0000000000000002:4a", []Packet{text("a")}},
		{Binary3, "\x00\x00\x02\xff4a", []Packet{text("a")}},
		{Binary3, "\x00\x06\xffb4AQ==", []Packet{blob("\x01")}}, // base64 in a text entry
	} {
		got, err := decode(t, tt.format, []byte(tt.wire))
		if err != nil {
			t.Errorf("%s %q: %v", formatNames[tt.format], tt.wire, err)
			continue
		}
		checkPackets(t, got, tt.packets)
	}
}

func TestPayloadErrors(t *testing.T) {
	for _, tt := range []struct {
		format Format
		wire   string
		before int // packets that come before the error
		want   error
	}{
		{Text4, "", 0, ErrEmpty},
		{Text4, "\x1e", 0, ErrEmpty},
		{Text4, "\x1e4a", 0, ErrEmpty},
		{Text4, "4a\x1e", 1, ErrEmpty},
		{Text4, "4a\x1e\x1e4b", 1, ErrEmpty},
		{Text4, "{", 0, ErrType},
		{Text4, `["a123", "a456"]`, 0, ErrType},
		{Text4, "4a\x1eabc\x1e4b", 1, ErrType},
		{Text4, "4a\x1e4\xff\x1e4b", 1, ErrUTF8},
		{Text4, "4a\x1e4\xe2\x82\x1e4b", 1, ErrUTF8},
		{Text4, "4a\x1ebAQI", 1, ErrBase64},

		{Text3, "", 0, ErrEmpty},
		{Text3, ":", 0, ErrLength},
		{Text3, "!", 0, ErrLength},
		{Text3, "1", 0, ErrLength},
		{Text3, "1:", 0, ErrLength},
		{Text3, "3:4a", 0, ErrLength},
		{Text3, "2:4a1", 1, ErrLength},
		{Text3, "2:4a:", 1, ErrLength},
		{Text3, "1:4a", 1, ErrLength},
		{Text3, "-1:4", 0, ErrLength},
		{Text3, "+1:4", 0, ErrLength},
		{Text3, " 1:4", 0, ErrLength},
		{Text3, "1.0:4", 0, ErrLength},
		{Text3, "0x1:4", 0, ErrLength},
		{Text3, "1e0:4", 0, ErrLength},
		{Text3, "18446744073709551617:4", 0, ErrLength}, // 2^64 + 1
		{Text3, "9223372036854775807:4", 0, ErrLength},
		{Text3, "00000000000000001:4", 0, ErrLength}, // too many digits
		{Text3, strings.Repeat("9", 400) + ":4", 0, ErrLength},
		{Text3, "2:4€1:42:4😀", 2, ErrLength}, // half a surrogate pair
		{Text3, "4:4€", 0, ErrLength},        // counted in bytes
		{Text3, "1:7", 0, ErrType},
		{Text3, "1:b", 0, ErrType},
		{Text3, "3:b3A", 0, ErrType},
		{Text3, "3:b4A", 0, ErrBase64},
		{Text3, "1:42:4\xe2\x82", 1, ErrUTF8},
		{Text3, "1:42:4\xff", 1, ErrLength}, // no byte of UTF-8, so no length

		{Binary3, "", 0, ErrEmpty},
		{Binary3, "\x00", 0, ErrLength},
		{Binary3, "\x00\xff", 0, ErrLength},
		{Binary3, "\x00\x01", 0, ErrLength},
		{Binary3, "\x00\x02\xff4", 0, ErrLength},
		{Binary3, "\x00\x0a\xff4", 0, ErrLength},
		{Binary3, "\x001\xff4", 0, ErrLength}, // an ASCII digit
		{Binary3, "\x00" + strings.Repeat("\x09", 400) + "\xff4", 0, ErrLength},
		{Binary3, "\x02\x01\xff4", 0, ErrType},
		{Binary3, "2:4a", 0, ErrType}, // Text3
		{Binary3, "\x00\x00\xff", 0, ErrEmpty},
		{Binary3, "\x01\x00\xff", 0, ErrEmpty},
		{Binary3, "\x00\x01\xff6\x00\x02\xff4\xff", 1, ErrUTF8},
		{Binary3, "\x01\x02\xff4a", 0, ErrType},
		{Binary3, "\x01\x04\xff\x01\x02\x03\x04", 0, ErrType}, // the example of the specification
		{Binary3, "\x00\x01\xff\x04", 0, ErrType},
	} {
		got, err := decode(t, tt.format, []byte(tt.wire))
		if err != tt.want || len(got) != tt.before {
			t.Errorf("%s %q: got %v, %v, want %d packets, %v",
				formatNames[tt.format], tt.wire, got, err, tt.before, tt.want)
		}
	}
}

func TestPayloadRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for f, name := range formatNames {
		t.Run(name, func(t *testing.T) {
			for range 500 {
				packets := make([]Packet, 1+r.IntN(10))
				for i := range packets {
					packets[i] = randomPacket(r)
				}
				got, err := decode(t, f, encode(f, packets))
				if err != nil {
					t.Fatalf("%v: %v", packets, err)
				}
				checkPackets(t, got, packets)
			}
		})
	}
}

// The packets of a payload share its bytes, and none reaches into another.
func TestDecodeAliases(t *testing.T) {
	for f, name := range formatNames {
		body := encode(f, []Packet{text("a"), blob("b"), text("c")})
		d := f.Decode(body)
		var got []Packet
		for {
			p, err := d.Next()
			if err != nil {
				break
			}
			got = append(got, p)
			_ = append(p.Data, "overwritten"...)
		}
		checkPackets(t, got, []Packet{text("a"), blob("b"), text("c")})
		clear(body)
		if !bytes.Equal(got[0].Data, []byte{0}) {
			t.Errorf("%s: data does not alias the body", name)
		}
	}
}

// fuzzPayload holds the invariants of every format.
func fuzzPayload(f *testing.F, format Format) {
	for _, tt := range payloads {
		if tt.format == format {
			f.Add([]byte(tt.wire))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		packets, _ := decode(t, format, body)
		if len(packets) == 0 {
			return
		}
		again, err := decode(t, format, encode(format, packets))
		if err != nil {
			t.Fatalf("%v: %v", packets, err)
		}
		checkPackets(t, again, packets)
	})
}

func FuzzDecodeText4(f *testing.F)   { fuzzPayload(f, Text4) }
func FuzzDecodeText3(f *testing.F)   { fuzzPayload(f, Text3) }
func FuzzDecodeBinary3(f *testing.F) { fuzzPayload(f, Binary3) }
