package engineio

import (
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/fasteio/engineio/internal/ws"
)

// A prepared message is, byte by byte, what a send of the same message queues.
func TestPreparedIsWhatSendsQueue(t *testing.T) {
	for _, size := range []int{0, 1, 124, 125, 126, 1000, 70_000} {
		data := strings.Repeat("\u20ac", size/3) + strings.Repeat("x", size%3)
		for _, kind := range []struct {
			rev      Revision
			textOnly bool
		}{{V3, false}, {V4, false}, {V3, true}, {V4, true}} {
			if got, want := PrepareText(data).frame(kind.rev, kind.textOnly), appendFrame(nil, kind.rev, kind.textOnly, text(data)); string(got) != string(want) {
				t.Errorf("text of %d bytes, %v: another frame", size, kind)
			}
			got, want := PrepareBinary([]byte(data)).frame(kind.rev, kind.textOnly), appendFrame(nil, kind.rev, kind.textOnly, blob([]byte(data)))
			if string(got) != string(want) {
				t.Errorf("binary of %d bytes, %v: another frame", size, kind)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	for _, c := range []struct {
		rev      Revision
		textOnly bool
		binary   bool
		op       ws.Op
		payload  string
	}{
		{V3, false, false, ws.Text, "4\x01\x02"},
		{V4, false, false, ws.Text, "4\x01\x02"},
		{V3, true, false, ws.Text, "4\x01\x02"},
		{V4, true, false, ws.Text, "4\x01\x02"},
		{V3, false, true, ws.Binary, "\x04\x01\x02"},
		{V4, false, true, ws.Binary, "\x01\x02"},
		{V3, true, true, ws.Text, "b4AQI="},
		{V4, true, true, ws.Text, "bAQI="},
	} {
		p := text("\x01\x02")
		p.Binary = c.binary
		op, payload, rest := ws.Split(appendFrame(nil, c.rev, c.textOnly, p))
		if op != c.op || string(payload) != c.payload || len(rest) > 0 {
			t.Errorf("%+v: opcode %d, %q", c, op, payload)
		}
	}
}

func TestPreparedEncodesOnce(t *testing.T) {
	p := PrepareText(strings.Repeat("x", 1000))
	first := p.frame(V4, false)
	for _, rev := range []Revision{V3, V4} {
		for _, textOnly := range []bool{false, true} {
			if unsafe.SliceData(p.frame(rev, textOnly)) != unsafe.SliceData(first) {
				t.Error("a text is encoded again")
			}
		}
	}
}

func TestPreparedCopies(t *testing.T) {
	data := []byte("data")
	p := PrepareBinary(data)
	clear(data)
	if _, payload, _ := ws.Split(p.frame(V4, false)); string(payload) != "data" {
		t.Errorf("it has %q", payload)
	}
}

func TestPreparedFromManyGoroutines(t *testing.T) {
	p := PrepareBinary([]byte("data"))
	want := string(appendFrame(nil, V3, true, p.packets[0]))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if got := p.frame(V3, true); string(got) != want {
				t.Errorf("got %q", got)
			}
		})
	}
	all.Wait()
}

func TestPreparedFlags(t *testing.T) {
	for text, want := range map[string]struct{ invalid, separator bool }{
		"":         {false, false},
		"\u20ac":   {false, false},
		"a\x1eb":   {false, true},
		"\xff":     {true, false},
		"\x1e\xff": {true, true},
	} {
		if p := PrepareText(text); p.invalid != want.invalid || p.separator != want.separator {
			t.Errorf("%q: invalid %v, separator %v", text, p.invalid, p.separator)
		}
	}
	if p := PrepareBinary([]byte("\x1e\xff")); p.invalid || p.separator {
		t.Error("binary is judged as text")
	}
}

func TestPrepareJSON(t *testing.T) {
	srv := newTestServer(Config{})
	p, err := srv.PrepareJSON(map[string]int{"a": 1}, Volatile)
	if err != nil || string(p.packets[0].Data) != `{"a":1}` || p.packets[0].Binary || p.opts != Volatile {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := srv.PrepareJSON(func() {}); p != nil || err == nil {
		t.Errorf("what JSON has no form for: %v, %v", p, err)
	}
}
