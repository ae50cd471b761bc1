package parser

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func encode(t *testing.T, kind Type, namespace, name string, values ...any) (string, [][]byte) {
	t.Helper()
	body, attachments, err := (&Encoder{}).AppendValues(nil, values)
	if kind == Event {
		body, attachments, err = (&Encoder{}).AppendEvent(nil, name, values)
	}
	if err != nil {
		t.Fatal(err)
	}
	return string(append(AppendHead(nil, kind, len(attachments), namespace), body...)), attachments
}

func TestEncode(t *testing.T) {
	for _, c := range []struct {
		want        string
		attachments int
		kind        Type
		namespace   string
		name        string
		values      []any
	}{
		{`2["foo"]`, 0, Event, "/", "foo", nil},
		{`2/admin,["foo",1,"b\"",null,true,{"a":[1.5]}]`, 0, Event, "/admin", "foo",
			[]any{1, `b"`, nil, true, map[string]any{"a": []any{1.5}}}},
		{`2["<a> & é","\u001e\u0000"]`, 0, Event, "/", "<a> & é", []any{"\x1e\x00"}},
		{`52-/a,["x",{"_placeholder":true,"num":0},{"k":[{"_placeholder":true,"num":1}]}]`, 2, Event, "/a", "x",
			[]any{[]byte{1}, map[string]any{"k": []any{[]byte{2}}}}},
		{`2["x",{"B":"AQI="}]`, 0, Event, "/", "x", []any{struct{ B []byte }{[]byte{1, 2}}}},
		{`3[]`, 0, Ack, "/", "", nil},
		{`3["a",2]`, 0, Ack, "/", "", []any{"a", 2}},
		{`61-[{"_placeholder":true,"num":0}]`, 1, Ack, "/", "", []any{[]byte{}}},
	} {
		got, attachments := encode(t, c.kind, c.namespace, c.name, c.values...)
		if got != c.want || len(attachments) != c.attachments {
			t.Errorf("got %s with %d attachments, not %s", got, len(attachments), c.want)
		}
	}
}

func TestEncodeLeavesValuesAlone(t *testing.T) {
	m := map[string]any{"a": []any{[]byte{1}}}
	encode(t, Event, "/", "x", m)
	if fmt.Sprint(m) != "map[a:[[1]]]" {
		t.Error(m)
	}
}

func TestEncodeFails(t *testing.T) {
	_, _, err := (&Encoder{}).AppendValues(nil, []any{1, func() {}})
	if err == nil || !strings.Contains(err.Error(), "argument 2") {
		t.Error(err)
	}
	broken := errors.New("broken")
	_, _, err = (&Encoder{Marshal: func(any) ([]byte, error) { return nil, broken }}).AppendValues(nil, []any{1.5})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}
