package abuse

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/fasteio/engineio/codec"
)

// callbacks are values of j, as they stand in the query, and what is left of them in the script.
var callbacks = []struct{ j, index string }{
	{"0", "0"}, {"12", "12"}, {"", ""}, {"x", ""}, {"-1", "1"}, {"1e3", "13"}, {"0x10", "010"},
	{"0];alert(1);//", "01"}, {"%3Cscript%3Ealert(1)%3C/script%3E", "1"}, {"%00", ""}, {"1%0d%0aX-Evil:%201", "11"},
	{"%E2%80%A8", ""}, {"%D9%A1%D9%A2", ""}, {"1&j=2", "2"}, {"1+2", "12"}, {"toString", ""}, {"__proto__", ""},
	{strings.Repeat("9", 8000), strings.Repeat("9", 8000)}, {strings.Repeat("x", 8000) + "7", "7"},
}

// payloads are messages that would like to be more than a string.
var payloads = []string{
	"</script><script>alert(1)</script>", "<!--<script>", "]]>", "\u2028\u2029", `"`, `\`, `\"`, `");alert(1);("`, "\\u0022);alert(1)//",
	"\r\n", "\x00\x01\x1f\x7f", "\u0085\ufeff\U0001F600", "'`${alert(1)}", "%22%29", "&quot;", strings.Repeat("\"\\</", 500),
}

// A script is safe when it is this call with one string, in characters that end neither a string nor a script
// element.
var script = regexp.MustCompile(`^___eio\[([0-9]*)\]\(("(?:[ !#-;=-\[\]-\x7f]|\\["\\bfnrt]|\\u[0-9a-f]{4}|[^\x00-\x7f\x{2028}\x{2029}])*")\);$`)

// safe checks an answer to JSONP and returns the payload in it.
func safe(a answer, index string) (string, error) {
	m := script.FindStringSubmatch(a.body)
	var payload string
	switch {
	case a.status != 200 || m == nil || m[1] != index || json.Unmarshal([]byte(m[2]), &payload) != nil:
		return "", fmt.Errorf("answered %d %.300q, want ___eio[%.20s](...)", a.status, a.body, index)
	case a.get("Content-Type") != "text/javascript; charset=UTF-8" || a.get("Cache-Control") != "no-store":
		return "", fmt.Errorf("with the header %v", a.header)
	}
	return payload, nil
}

// Whatever j is, its digits alone come back, in a script that is one call. The type is that of the reference,
// plain text: never HTML, and without nosniff, by which browsers would refuse to run it.
func TestJSONPCallbacks(t *testing.T) {
	attack(t, spec{}, 1, 20, func(t *testing.T, x *target, n int) {
		x.struck = n * len(callbacks)
		for i := range x.struck {
			c := callbacks[i%len(callbacks)]
			w := x.wire(t)
			w.say(t, request("GET", openPath+"&j="+c.j, "", ownPage, hangUp))
			all := w.answers(t, "GET")
			if len(all) != 1 {
				t.Fatalf("j=%.40q: %d answers", c.j, len(all))
			}
			if payload, err := safe(all[0], c.index); err != nil || !strings.HasPrefix(payload, `0{"sid":"`) {
				t.Errorf("j=%.40q: %q, %v", c.j, payload, err)
			}
			w.end()
		}
		x.tell(t, commandClose)
	})
}

// Whatever a message is, it comes back as a string of a script that cannot be left, and means the same.
func TestJSONPPayloads(t *testing.T) {
	attack(t, spec{}, 1, 20, func(t *testing.T, x *target, n int) {
		x.struck = 2 * n * len(payloads)
		before := x.counts(t)
		for _, revision := range revisions {
			w := x.wire(t)
			target := fmt.Sprintf("/engine.io/?EIO=%d&transport=polling&j=7", revision)
			open, err := safe(w.exchange(t, request("GET", target, "", ownPage)), "7")
			if err != nil {
				t.Fatal(err)
			}
			_, sid, _ := strings.Cut(open, `"sid":"`)
			sid, _, _ = strings.Cut(sid, `"`)
			target += "&sid=" + sid
			format := codec.Text4
			if revision == codec.V3 {
				format = codec.Text3
			}
			for i := range n * len(payloads) {
				p := codec.Packet{Type: codec.Message, Data: []byte(payloads[i%len(payloads)])}
				want := string(format.Append(nil, p))
				form := "d=" + url.QueryEscape(strings.NewReplacer("\n", "\\n", "\\n", "\\\\n").Replace(want))
				a := w.exchange(t, request("POST", target, form, ownPage, "Content-Type: application/x-www-form-urlencoded"))
				if a.status != 200 || a.body != "ok" || a.get("Content-Type") != "text/html" {
					t.Fatalf("%q: %+v", p.Data, a)
				}
				got, err := safe(w.exchange(t, request("GET", target, "", ownPage, "Accept-Encoding: identity")), "7")
				if err != nil || got != want {
					t.Errorf("%q: %q, %v; want %q", p.Data, got, err, want)
				}
			}
			w.end()
		}
		x.tell(t, commandClose)
		x.ended(t, before, "server close", 2)
	})
}

// exchange sends a request and waits for its answer.
func (w *wire) exchange(t testing.TB, text string) answer {
	t.Helper()
	method, _, _ := strings.Cut(text, " ")
	w.say(t, text)
	return w.answer(t, method)
}
