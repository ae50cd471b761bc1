package parser

import (
	"bytes"
	"errors"
	"strings"
	"testing"
)

// TestDecode states the examples of the protocol and the reference's rules.
func TestDecode(t *testing.T) {
	for _, c := range []struct {
		text      string
		kind      Type
		namespace string
		id        int // -1 for none
		data      string
	}{
		{`0`, Connect, "/", -1, ``},
		{`0{"token":"123"}`, Connect, "/", -1, `{"token":"123"}`},
		{`0/admin,`, Connect, "/admin", -1, ``},
		{`0/admin`, Connect, "/admin", -1, ``},
		{`0/admin,{"sid":"x"}`, Connect, "/admin", -1, `{"sid":"x"}`},
		{`0/`, Connect, "/", -1, ``},
		{`0/a?token=1,`, Connect, "/a?token=1", -1, ``},
		{`4{"message":"Not authorized"}`, ConnectError, "/", -1, `{"message":"Not authorized"}`},
		{`4"Not authorized"`, ConnectError, "/", -1, `"Not authorized"`},
		{`1`, Disconnect, "/", -1, ``},
		{`1/admin,`, Disconnect, "/admin", -1, ``},
		{`1/admin`, Disconnect, "/admin", -1, ``},
		{`2["foo"]`, Event, "/", -1, `["foo"]`},
		{`2/admin,["bar"]`, Event, "/admin", -1, `["bar"]`},
		{`212["foo"]`, Event, "/", 12, `["foo"]`},
		{`2/admin,0["foo"]`, Event, "/admin", 0, `["foo"]`},
		{`29007199254740991["foo"]`, Event, "/", MaxID, `["foo"]`},
		{`2[1,2]`, Event, "/", -1, `[1,2]`},
		{`2[ "foo" , {"a":"\u0000]"} ]`, Event, "/", -1, `[ "foo" , {"a":"\u0000]"} ]`},
		{`2`, Event, "/", -1, ``},
		{`25`, Event, "/", 5, ``},
		{`3/admin,13["bar"]`, Ack, "/admin", 13, `["bar"]`},
		{`313[]`, Ack, "/", 13, `[]`},
		{`3[]`, Ack, "/", -1, `[]`},
		{`313`, Ack, "/", 13, ``},
		{`50-["foo"]`, Event, "/", -1, `["foo"]`},
		{`60-1[]`, Ack, "/", 1, `[]`},
	} {
		p, err := Decode([]byte(c.text))
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		id := -1
		if p.HasID {
			id = int(p.ID)
		}
		if p.Type != c.kind || p.Namespace != c.namespace || id != c.id || string(p.Data) != c.data {
			t.Errorf("%s is %d %s %d %s", c.text, p.Type, p.Namespace, id, p.Data)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for text, want := range map[string]error{
		``:                           ErrType,
		`7`:                          ErrType,
		`abc`:                        ErrType,
		`0[]`:                        ErrPayload,
		`0null`:                      ErrPayload,
		`0"x"`:                       ErrPayload,
		`0{"a":1`:                    ErrPayload,
		`1{}`:                        ErrPayload,
		`1/admin,{}`:                 ErrPayload,
		`2{}`:                        ErrPayload,
		`2[]`:                        ErrPayload,
		`2[{}]`:                      ErrPayload,
		`2[null]`:                    ErrPayload,
		`2["foo"`:                    ErrPayload,
		`2["foo"]x`:                  ErrPayload,
		`2 ["foo"]`:                  ErrPayload,
		`2abc["foo"]`:                ErrPayload,
		`2["connect"]`:               ErrPayload,
		`2["connect_error"]`:         ErrPayload,
		`2["disconnect"]`:            ErrPayload,
		`2["disconnecting"]`:         ErrPayload,
		`2["newListener"]`:           ErrPayload,
		`2["removeListener"]`:        ErrPayload,
		`2["\u0063onnect"]`:          ErrPayload,
		`29007199254740992["x"]`:     ErrID,
		`299999999999999999999["x"]`: ErrID,
		`3{}`:                        ErrPayload,
		`31"x"`:                      ErrPayload,
		`4`:                          ErrPayload,
		`4[]`:                        ErrPayload,
		`4true`:                      ErrPayload,
		`5["foo"]`:                   ErrAttachments,
		`5`:                          ErrAttachments,
		`51`:                         ErrAttachments,
		`5-["foo"]`:                  ErrAttachments,
		`5x-["foo"]`:                 ErrAttachments,
		`5-1-["foo"]`:                ErrAttachments,
		`51.5-["foo"]`:               ErrAttachments,
		`51e1-["foo"]`:               ErrAttachments,
		`599999999999-["foo"]`:       ErrAttachments,
		`61-1{}`:                     ErrPayload,
		"2" + strings.Repeat("[", 100_000) + strings.Repeat("]", 100_000): ErrPayload,
	} {
		if p, err := Decode([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%.40q is %+v, %v, not %v", text, p, err, want)
		}
	}
}

func TestEventName(t *testing.T) {
	for data, want := range map[string]string{
		`["foo",1]`: "foo", `[ "foo" ]`: "foo", `["\u0066oo"]`: "foo", `["a\"b"]`: `a"b`, `[""]`: "",
		`[1]`: "1", `[1.0]`: "1", `[-1e3]`: "-1000", `[1e21]`: "1e+21",
	} {
		if name, ok := EventName([]byte(data)); !ok || name != want {
			t.Errorf("%s has the name %q, %v", data, name, ok)
		}
	}
}

func TestElements(t *testing.T) {
	data := []byte(` ["a]", [1,[2,"]"]] ,{"b":"}"}, -1.5e3,true , null,"\"" , "\\"]`)[1:]
	var got []string
	for start, value := range Elements(data) {
		if !bytes.Equal(data[start:start+len(value)], value) {
			t.Errorf("%s does not start at %d", value, start)
		}
		got = append(got, string(value))
	}
	want := []string{`"a]"`, `[1,[2,"]"]]`, `{"b":"}"}`, `-1.5e3`, `true`, `null`, `"\""`, `"\\"`}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("the elements are %q", got)
	}
	for range Elements([]byte(`[ ]`)) {
		t.Error("an empty array has an element")
	}
	for range Elements(nil) {
		t.Error("nothing has an element")
	}
}
