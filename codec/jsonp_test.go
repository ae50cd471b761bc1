package codec

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

func TestAppendJSONP(t *testing.T) {
	for _, tt := range []struct{ index, payload, want string }{
		{"0", "4hello", `___eio[0]("4hello");`},
		{"12", `0{"sid":"x"}`, `___eio[12]("0{\"sid\":\"x\"}");`},
		{"", "6", `___eio[]("6");`},
		{"1](alert(1));//2", "6", `___eio[112]("6");`},
		{"0", "", `___eio[0]("");`},
		{"0", "4a\x1ebAQ==", `___eio[0]("4a\u001ebAQ==");`},
		{"0", "4\b\t\n\f\r\v\x00\x1f\x7f", "___eio[0](\"4\\b\\t\\n\\f\\r\\u000b\\u0000\\u001f\x7f\");"},
		{"0", `4\n/'`, `___eio[0]("4\\n/'");`},
		{"0", "4é€😀\u2027\u2028\u2029\u202a\ufffd", `___eio[0]("4é€😀` + "\u2027" + `\u2028\u2029` + "\u202a\ufffd" + `");`},
		{"0", "4</script><!--", `___eio[0]("4\u003c/script>\u003c!--");`},
		{"0", "4\xff\xe2\x80", `___eio[0]("4\ufffd\ufffd\ufffd");`},
		{"0", "4:4€😀", `___eio[0]("4:4€😀");`},
	} {
		got := AppendJSONP([]byte("x"), []byte(tt.index), []byte(tt.payload))
		if string(got) != "x"+tt.want {
			t.Errorf("%q: got %s, want x%s", tt.payload, got, tt.want)
		}
	}
}

func TestDecodeJSONP(t *testing.T) {
	for _, tt := range []struct{ form, want string }{
		{"d=4hello", "4hello"},
		{"d=", ""},
		{"d", ""},
		{"a=1&d=4x&b=2", "4x"},
		{"&&d=4x&", "4x"},
		{"d=4a=b=", "4a=b="},
		{"d=4a%3Db%26c%2B+d", "4a=b&c+ d"},
		{"d=4%E2%82%AC%f0%9f%98%80", "4€😀"},
		{"d=11:4hello+world", "11:4hello world"},
		{"d=%zz%4", "%zz%4"},
		{"d=%", "%"},
		{"d=%2", "%2"},
		{"d=%%34", "%4"},
		{"d=%2541", "%41"},
		{`d=4a\nb`, "4a\nb"},
		{"d=4a%5Cnb", "4a\nb"},
		{"d=4a%5c%6eb", "4a\nb"},
		{`d=4a\\nb`, `4a\nb`},
		{`d=4a\\\nb`, `4a\\nb`},
		{`d=4\n\n\\n\\\\n`, "4\n\n" + `\n\\\n`},
		{`d=\nn`, "\nn"},
		{`d=\\nn`, `\nn`},
		{`d=4\t\\`, `4\t\\`},
		{"d=%ff", "\xff"},
	} {
		got, err := DecodeJSONP([]byte(tt.form))
		if err != nil || string(got) != tt.want {
			t.Errorf("%q: got %q, %v, want %q", tt.form, got, err, tt.want)
		}
	}
	for _, form := range []string{"", "4hello", "x=1", "dd=1", "D=1", "=d", "d=1&d=2", "d&d"} {
		if got, err := DecodeJSONP([]byte(form)); err != ErrForm {
			t.Errorf("%q: got %q, %v, want %v", form, got, err, ErrForm)
		}
	}
}

// escapeLineFeeds does what the client does before it fills the form in.
func escapeLineFeeds(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, `\n`, `\\n`), "\n", `\n`)
}

// unescapeLineFeeds does it back in the two steps of the reference, as an oracle.
func unescapeLineFeeds(s string) string {
	s = regexp.MustCompile(`(\\)?\\n`).ReplaceAllStringFunc(s, func(match string) string {
		if match == `\\n` {
			return match
		}
		return "\n"
	})
	return strings.ReplaceAll(s, `\\n`, `\n`)
}

func FuzzDecodeJSONP(f *testing.F) {
	f.Add([]byte(`d=4a\nb\\nc%5C%6e%`))
	f.Add([]byte("a=1&d=10%3Ab4AQIDBA%3D%3D&c"))
	f.Fuzz(func(t *testing.T, form []byte) {
		got, err := DecodeJSONP(bytes.Clone(form))
		if err != nil {
			if !errors.Is(err, ErrParse) {
				t.Fatalf("error %v is no ErrParse", err)
			}
			return
		}
		value := string(form)
		for field := range strings.SplitSeq(value, "&") {
			if v, ok := strings.CutPrefix(field, "d="); ok || field == "d" {
				value = v
				if field == "d" {
					value = ""
				}
			}
		}
		if plain, err := url.QueryUnescape(value); err == nil {
			if want := unescapeLineFeeds(plain); string(got) != want {
				t.Fatalf("got %q, want %q", got, want)
			}
		}
		// The escaping of the client is ambiguous for a backslash in front of a line feed.
		if bytes.Contains(got, []byte("\\\n")) {
			return
		}
		want := string(got)
		got, err = DecodeJSONP([]byte("d=" + url.QueryEscape(escapeLineFeeds(want))))
		if err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	})
}

func FuzzAppendJSONP(f *testing.F) {
	f.Add([]byte("4a\x1eb\u2028</script>\xff\\"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		script := AppendJSONP(nil, []byte("7"), payload)
		literal := bytes.TrimSuffix(bytes.TrimPrefix(script, []byte("___eio[7](")), []byte(");"))
		var got string
		if err := json.Unmarshal(literal, &got); err != nil {
			t.Fatalf("%s: %v", literal, err)
		}
		if want := string([]rune(string(payload))); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
		if bytes.ContainsAny(literal, "<\u2028\u2029") {
			t.Fatalf("unsafe script %s", script)
		}
	})
}
