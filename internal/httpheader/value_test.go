package httpheader

import (
	"bufio"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// names are all constants of names.go.
func names(t *testing.T) (all []Name) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "names.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		if s, ok := n.(*ast.BasicLit); ok && s.Kind == token.STRING {
			name, _ := strconv.Unquote(s.Value)
			all = append(all, Name(name))
		}
		return true
	})
	if len(all) < 20 {
		t.Fatalf("names.go has the names %q", all)
	}
	return all
}

// read is the header of a request with these lines, as a server reads it.
func read(t testing.TB, raw bool, lines ...string) *fasthttp.RequestHeader {
	t.Helper()
	h := new(fasthttp.RequestHeader)
	if raw {
		h.DisableNormalizing()
	}
	text := "GET / HTTP/1.1\r\nHost: a\r\n" + strings.Join(append(lines, "", ""), "\r\n")
	if err := h.Read(bufio.NewReader(strings.NewReader(text))); err != nil {
		t.Fatal(err)
	}
	return h
}

// mixed is a name in a case that nobody uses.
func mixed(name string) string {
	b := []byte(strings.ToLower(name))
	for i := 1; i < len(b); i += 2 {
		b[i] = strings.ToUpper(string(b[i]))[0]
	}
	return string(b)
}

// Every header that is read anywhere is found in any case, whatever the server makes of names, and a second
// line in another case is seen as well.
func TestEveryNameIsFoundInAnyCase(t *testing.T) {
	for _, name := range names(t) {
		for _, spell := range []func(string) string{strings.Clone, strings.ToLower, strings.ToUpper, mixed} {
			for _, raw := range []bool{false, true} {
				spelled := spell(string(name))
				h := read(t, raw, "Accept: */*", spelled+": one")
				if got := string(Value(h, name)); got != "one" {
					t.Errorf("%s, names as sent %v: %q", spelled, raw, got)
				}
				h = read(t, raw, string(name)+": one", "Accept: */*", spelled+": two")
				if got := string(Value(h, name)); got != "one, two" {
					t.Errorf("%s and %s, names as sent %v: %q", name, spelled, raw, got)
				}
				if normalized(h) == raw {
					t.Errorf("the setting of the names was changed")
				}
				var resp fasthttp.ResponseHeader
				if raw {
					resp.DisableNormalizing()
				}
				resp.Set(spelled, "one")
				if got := string(Value(&resp, name)); got != "one" {
					t.Errorf("%s of a response, names as sent %v: %q", spelled, raw, got)
				}
			}
		}
	}
}

func TestValue(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{nil, ""},
		{[]string{"X-Origin: a", "Origins: b", "Origin-X: c"}, ""},
		{[]string{"Origin:"}, ""},
		{[]string{"Origin: ", "Origin: a"}, ", a"},
		{[]string{"Origin: a", "Origin: a"}, "a, a"},
		{[]string{"Origin: a,b", "ORIGIN: c"}, "a,b, c"},
	} {
		for _, raw := range []bool{false, true} {
			if got := string(Value(read(t, raw, c.lines...), Origin)); got != c.want {
				t.Errorf("%q, names as sent %v: %q, want %q", c.lines, raw, got, c.want)
			}
		}
	}
}

// fasthttp adds the trailers of a body in chunks to the headers of the request, unknown to a proxy that hands
// them on. It refuses those that would tell who the client is.
func TestForwardedInTrailers(t *testing.T) {
	for _, name := range []Name{ForwardedFor, ForwardedHost, ForwardedProto} {
		for _, spelled := range []string{string(name), strings.ToLower(string(name))} {
			var req fasthttp.Request
			req.Header.DisableNormalizing()
			text := "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n" + spelled + ": x\r\n\r\n"
			if err := req.Read(bufio.NewReader(strings.NewReader(text))); err == nil {
				t.Errorf("the trailer %s is a header: %q", spelled, Value(&req.Header, name))
			}
		}
	}
}

func TestAsksFor(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  bool
	}{
		{[]string{"Connection: Upgrade", "Upgrade: websocket"}, true},
		{[]string{"Connection: keep-alive, UPGRADE", "Upgrade: WebSocket"}, true},
		{[]string{"Connection: keep-alive", "Connection: upgrade", "Upgrade: h2c", "Upgrade: websocket"}, true},
		{[]string{"Connection: Upgrade", "Upgrade: h2c , websocket"}, true},
		{[]string{"Upgrade: websocket"}, false},
		{[]string{"Connection: keep-alive", "Upgrade: websocket"}, false},
		{[]string{"Connection: close", "Upgrade: websocket"}, false},
		{[]string{"Connection: Upgrade", "Connection: close", "Upgrade: websocket"}, false},
		{[]string{"Connection: Upgraded", "Upgrade: websocket"}, false},
		{[]string{"Connection: Upgrade", "Upgrade: h2c"}, false},
		{[]string{"Connection: Upgrade"}, false},
	} {
		for _, raw := range []bool{false, true} {
			lines := c.lines
			if raw {
				lines = strings.Split(strings.ToLower(strings.Join(lines, "\n")), "\n")
			}
			if got := AsksFor(read(t, raw, lines...), "websocket"); got != c.want {
				t.Errorf("%q: %v", lines, got)
			}
		}
	}
	var old fasthttp.RequestHeader
	text := "GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n"
	if err := old.Read(bufio.NewReader(strings.NewReader(text))); err != nil || AsksFor(&old, "websocket") {
		t.Errorf("HTTP/1.0 switches protocols, %v", err)
	}
}

func TestAddVary(t *testing.T) {
	for _, c := range []struct{ before, want string }{
		{"", "Origin"},
		{"Origin", "Origin"},
		{"Accept, origin", "Accept, origin"},
		{"*", "*"},
		{"Accept-Encoding", "Accept-Encoding, Origin"},
		{"X-Origin", "X-Origin, Origin"},
	} {
		for _, spelled := range []string{"Vary", "vary"} {
			for _, raw := range []bool{false, true} {
				var h fasthttp.ResponseHeader
				if raw {
					h.DisableNormalizing()
				}
				if c.before != "" {
					h.Set(spelled, c.before)
				}
				AddVary(&h, Origin)
				AddVary(&h, Origin)
				if got := string(Value(&h, Vary)); got != c.want {
					t.Errorf("%s: %q becomes %q, want %q", spelled, c.before, got, c.want)
				}
			}
		}
	}
}

func TestLists(t *testing.T) {
	for _, c := range []struct{ list, elements, first, token string }{
		{"", "[]", "", ""},
		{" , ,\t,", "[]", "", ""},
		{"a", "[a]", "a", "a"},
		{", a b ,, c;d=1\t,e ", "[a b|c;d=1|e]", "a b", "e"},
	} {
		var elements []string
		for e := range Elements([]byte(c.list)) {
			elements = append(elements, string(e))
		}
		if got := "[" + strings.Join(elements, "|") + "]"; got != c.elements {
			t.Errorf("%q: %s", c.list, got)
		}
		if got := string(First([]byte(c.list))); got != c.first {
			t.Errorf("%q begins with %q", c.list, got)
		}
		if got := string(FirstToken([]byte(c.list))); got != c.token {
			t.Errorf("%q has the first token %q", c.list, got)
		}
	}
	for list, want := range map[string]string{
		"a": "true true", "x-a, b": "false true", "a,b": "false true", " ": "false true", "": "false false",
		"a/b": "false false", "a\tb": "false false", "é": "false false", `"a"`: "false false",
	} {
		if got := fmt.Sprint(IsToken([]byte(list)), IsTokenList([]byte(list))); got != want {
			t.Errorf("%q is a token, a list of them: %s", list, got)
		}
	}
}

func TestValueAllocatesNothing(t *testing.T) {
	h := read(t, false, "Origin: https://a.example", "Connection: keep-alive, Upgrade", "Upgrade: websocket")
	if n := testing.AllocsPerRun(100, func() {
		_ = Value(h, Origin)
		_ = Value(h, Referer)
		if !AsksFor(h, "websocket") {
			t.Fatal("no upgrade")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
