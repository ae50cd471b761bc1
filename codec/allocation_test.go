//go:build !race

package codec

import (
	"io"
	"testing"
)

// checkAllocs fails the test if f allocates.
func checkAllocs(t *testing.T, name string, f func()) {
	t.Helper()
	if n := testing.AllocsPerRun(100, f); n != 0 {
		t.Errorf("%s: %v allocations", name, n)
	}
}

func TestAllocations(t *testing.T) {
	packets := []Packet{text("hello €😀"), blob("\x01\x02\x03\x04"), probe(Ping)}
	dst := make([]byte, 0, 1<<10)
	body := make([]byte, 0, 1<<10)

	for f, name := range formatNames {
		wire := encode(f, packets)
		checkAllocs(t, name+" encode", func() {
			b := dst
			for _, p := range packets {
				b = f.Append(b, p)
			}
		})
		checkAllocs(t, name+" decode", func() {
			d := f.Decode(append(body, wire...))
			for {
				if _, err := d.Next(); err != nil {
					if err != io.EOF {
						t.Fatal(err)
					}
					return
				}
			}
		})
		checkAllocs(t, name+" error", func() {
			d := f.Decode(append(body, "!"...))
			if _, err := d.Next(); err == nil {
				t.Fatal("no error")
			}
		})
	}
	for _, tt := range messages {
		checkAllocs(t, "message", func() {
			wire := tt.rev.AppendMessage(dst, tt.packet)
			if _, err := tt.rev.DecodeMessage(tt.packet.Binary, wire); err != nil {
				t.Fatal(err)
			}
		})
	}
	index, payload, form := []byte("0"), []byte("4a\n<€"), []byte(`a=1&d=4a\n%3C%E2%82%AC`)
	checkAllocs(t, "JSONP encode", func() { AppendJSONP(dst, index, payload) })
	checkAllocs(t, "JSONP decode", func() {
		if _, err := DecodeJSONP(append(body, form...)); err != nil {
			t.Fatal(err)
		}
	})
}
