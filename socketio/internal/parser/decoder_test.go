package parser

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

func newDecoder() *Decoder { return &Decoder{MaxAttachments: 3, MaxAttachmentBytes: 10} }

// take gives a decoder one text and binary messages, and returns the packet that the last completes.
func take(d *Decoder, text string, attachments ...string) (Packet, error) {
	p, done, err := d.Text([]byte(text))
	for _, a := range attachments {
		if err != nil || done {
			return p, fmt.Errorf("done before an attachment: %v %w", done, err)
		}
		borrowed := []byte(a)
		p, done, err = d.Binary(borrowed)
		clear(borrowed)
	}
	if err == nil && !done {
		err = errors.New("not done")
	}
	return p, err
}

func TestDecoderPutsAttachmentsTogether(t *testing.T) {
	d := newDecoder()
	for range 2 {
		p, err := take(d, `53-/admin,7["up",{"num":1,"_placeholder":true},[{"deep":[ {"_placeholder" : true , "num" : 0} ]}],{"x":{"num":2,"_placeholder":true}}]`, "ab", "", "cde")
		if err != nil {
			t.Fatal(err)
		}
		if p.Type != Event || p.Namespace != "/admin" || p.ID != 7 || len(p.Attachments) != 3 {
			t.Fatalf("got %+v", p)
		}
		filled := string(p.Fill(nil, 0, len(p.Data)))
		if want := `["up","",[{"deep":[ "YWI=" ]}],{"x":"Y2Rl"}]`; filled != want {
			t.Errorf("filled it is %s", filled)
		}
		var v any
		if err := json.Unmarshal(p.Data, &v); err != nil {
			t.Fatal(err)
		}
		want := []any{"up", []byte{}, []any{map[string]any{"deep": []any{[]byte("ab")}}}, map[string]any{"x": []byte("cde")}}
		if got := p.Restore(v); !reflect.DeepEqual(got, want) {
			t.Errorf("restored it is %v", got)
		}
	}
	if p, err := take(d, `2["text"]`); err != nil || p.Type != Event {
		t.Error(p, err)
	}
	if p, err := take(d, `50-["none"]`); err != nil || p.Type != Event {
		t.Error(p, err)
	}
	if p, err := take(d, `2["after none"]`); err != nil || p.Type != Event {
		t.Error(p, err)
	}
}

func TestDecoderRefuses(t *testing.T) {
	for _, c := range []struct {
		text        string
		attachments []string
		want        error
	}{
		{`54-["a"]`, nil, ErrTooMany},
		{`51-["a",{"_placeholder":true,"num":1}]`, nil, ErrAttachments},
		{`51-["a",{"_placeholder":true,"num":-1}]`, nil, ErrAttachments},
		{`51-["a",{"_placeholder":true,"num":0.5}]`, nil, ErrAttachments},
		{`51-["a",{"_placeholder":true,"num":"0"}]`, nil, ErrAttachments},
		{`51-["a",{"_placeholder":true}]`, nil, ErrAttachments},
		{`51-["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}]`, nil, ErrAttachments},
		{`52-["a",{"_placeholder":true,"num":0}]`, []string{"12345", "678901"}, ErrTooBig},
	} {
		if p, err := take(newDecoder(), c.text, c.attachments...); !errors.Is(err, c.want) {
			t.Errorf("%s is %+v, %v", c.text, p, err)
		}
	}
	d := newDecoder()
	if _, _, err := d.Binary([]byte{1}); !errors.Is(err, ErrBinary) {
		t.Error(err)
	}
	if _, _, err := d.Text([]byte(`51-["a"]`)); err != nil {
		t.Error(err)
	}
	if _, _, err := d.Text([]byte(`2["a"]`)); !errors.Is(err, ErrText) {
		t.Error(err)
	}
}

// A placeholder within another goes with it, as in the reference.
func TestPlaceholderWithinAnother(t *testing.T) {
	p, err := take(newDecoder(), `51-["a",{"_placeholder":true,"num":0,"in":{"_placeholder":true,"num":5}},{"_placeholder":false,"num":9},{"_placeholder":"true"}]`, "x")
	if err != nil {
		t.Fatal(err)
	}
	if got := string(p.Fill(nil, 0, len(p.Data))); got != `["a","eA==",{"_placeholder":false,"num":9},{"_placeholder":"true"}]` {
		t.Error(got)
	}
}

func TestAt(t *testing.T) {
	p, err := take(newDecoder(), `51-["a",{"_placeholder":true,"num":0},1]`, "x")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for start, value := range Elements(p.Data) {
		b, ok := p.At(start, start+len(value))
		got = append(got, fmt.Sprint(string(b), ok))
	}
	if want := []string{"false", "xtrue", "false"}; !reflect.DeepEqual(got, want) {
		t.Error(got)
	}
}
