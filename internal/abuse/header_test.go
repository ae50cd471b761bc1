package abuse

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// injections are values that want to become a header, or a response, of their own.
var injections = []string{
	"a%0d%0aX-Evil: 1",
	"a%0d%0a%0d%0aHTTP/1.1 200 OK%0d%0aContent-Length: 0%0d%0a%0d%0a",
	"a%0aX-Evil: 1", "a%0dX-Evil: 1", "a%00X-Evil: 1", "%E5%98%8A%E5%98%8DX-Evil: 1",
	"a\r\nX-Evil: 1",                      // a header of the request, no more
	"a\nX-Evil: 1",                        // fasthttp takes a bare LF for an end of line
	"a\r\n X-Evil: 1", "a\r\n\tX-Evil: 1", // continued lines
	"a\rX-Evil: 1", "a\x00X-Evil: 1", "a\x7fX-Evil: 1", "a\x0bX-Evil: 1", "a\x0cX-Evil: 1",
	"a\xe5\x98\x8a\xe5\x98\x8dX-Evil: 1",   // U+560A U+560D, whose low bytes are LF and CR
	"a\u2028X-Evil: 1", "a\u0085X-Evil: 1", // line ends of Unicode
	"a\xc0\x8d\xc0\x8aX-Evil: 1", "a\xc4\x8d\xc4\x8aX-Evil: 1", // overlong, and U+010D U+010A
	"a\tX-Evil: 1", "a, X-Evil: 1", "a;X-Evil=1", "\"a\\\r\\\nX-Evil: 1\"", "<script>alert(1)</script>",
	"=?utf-8?Q?=0D=0AX-Evil:_1?=", "a\\r\\nX-Evil: 1", "a&#13;&#10;X-Evil: 1", "\r\nX-Evil: 1",
}

// A place is somewhere in a request whose value has, or could have, a part in the response.
type place struct {
	name  string
	write func(value string) string
}

// inHeader is the value of a header line in a request of that kind.
func inHeader(name string, request func(lines ...string) string) place {
	return place{name, func(v string) string { return request(name + ": " + v) }}
}

func poll(lines ...string) string {
	return request("GET", openPath, "", append(lines, hangUp)...)
}

func preflight(lines ...string) string {
	return request("OPTIONS", openPath, "", append([]string{"Origin: https://friend.example",
		"Access-Control-Request-Method: POST"}, append(lines, hangUp)...)...)
}

func upgrade(lines ...string) string { return upgradeRequest(webSocketPath, lines...) }

// places are all there are: what the engine echoes, and what it looks at and might.
func places() []place {
	target := func(format string) place {
		return place{format, func(v string) string { return request("GET", fmt.Sprintf(format, v), "", hangUp) }}
	}
	all := []place{
		inHeader("Origin", poll), inHeader("Referer", poll), inHeader("Cookie", poll), inHeader("User-Agent", poll),
		inHeader("X-Forwarded-For", poll), inHeader("X-Forwarded-Host", poll), inHeader("X-Forwarded-Proto", poll),
		inHeader("Accept-Encoding", poll), inHeader("Access-Control-Request-Headers", preflight),
		inHeader("Sec-WebSocket-Protocol", upgrade), inHeader("Sec-WebSocket-Extensions", upgrade), inHeader("Origin", upgrade),
		target(openPath + "&j=%s"), target(openPath + "&sid=%s"), target(openPath + "&t=%s"), target("/engine.io/?EIO=4&transport=%s"),
		target("/engine.io/?EIO=%s&transport=polling"), target("/%s"), target("/engine.io/%s?EIO=4&transport=polling"),
		{"method", func(v string) string { return request("GET"+v, openPath, "", hangUp) }},
		{"Host", func(v string) string {
			return "GET " + openPath + " HTTP/1.1\r\nHost: " + v + "\r\nConnection: close\r\n\r\n"
		}},
		{"Access-Control-Request-Method", func(v string) string {
			return request("OPTIONS", openPath, "", "Origin: https://friend.example", "Access-Control-Request-Method: "+v, hangUp)
		}},
		{"Sec-WebSocket-Key", func(v string) string {
			return strings.Replace(upgrade(hangUp), webSocketKey, v, 1)
		}},
	}
	return all
}

// No value of a request becomes a header of the response, or a response of its own: read strictly, all that
// comes is one answer, with headers that are ours. Every origin is allowed here, so that it is reflected
// whatever it is.
func TestHeaderInjection(t *testing.T) {
	s := spec{EveryOrigin: true, Cookie: true, Deflate: true, Proxies: []string{"127.0.0.1"}}
	attack(t, s, 1, 3, func(t *testing.T, x *target, n int) {
		all := places()
		x.struck = n * len(all) * len(injections)
		before := x.counts(t)
		err := crowd(x.struck, 8, func(i int) error {
			p, v := all[i%len(all)], injections[i/len(all)%len(injections)]
			if err := x.injected(p.write(v)); err != nil {
				return fmt.Errorf("%s, %q: %w", p.name, v, err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		x.tell(t, commandClose)
		x.awaited(t, commandCount, "all sessions closed", func(f figures) bool { return f.Len == 0 })
		if got := x.counts(t).Messages - before.Messages; got != 0 {
			t.Errorf("%d messages", got)
		}
	})
}

// injected sends a request and reads everything that comes back.
func (x *target) injected(text string) error {
	w, err := x.dial()
	if err != nil {
		return err
	}
	defer w.end()
	method, _, _ := strings.Cut(text, " ")
	if _, err := io.WriteString(w, text); err != nil {
		return err
	}
	a, err := w.read(method)
	if err != nil {
		return unlessHungUp(err)
	}
	if a.status == 101 {
		_, _ = io.WriteString(w, frame(fin|opClose, closing(1000, "")))
		messages, code, _, err := w.until()
		if err != nil || code != 1000 || len(messages) != 1 {
			return fmt.Errorf("after the 101 %q, closed with %d, %w", messages, code, err)
		}
		return nil
	}
	// Fiber's own answer to what is no request quotes it, as plain text. Ours and fasthttp's do not.
	if strings.Contains(a.body, "<script") && (!x.Fiber || a.get("Content-Type") != "text/plain; charset=utf-8") {
		return fmt.Errorf("answered %+v", a)
	}
	rest, err := w.all(method)
	if len(rest) > 0 {
		return fmt.Errorf("a second answer %+v after %+v", rest, a)
	}
	return err
}

// unlessHungUp is nil for a connection that the server ended instead of answering.
func unlessHungUp(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// What is reflected is exactly what was sent, where that is harmless, and nothing where it is not.
func TestReflectedValues(t *testing.T) {
	type want struct{ text, header, value string }
	wants := []want{
		{poll("Origin: https://friend.example"), "Access-Control-Allow-Origin", "https://friend.example"},
		{poll("Origin: a%0d%0ab"), "Access-Control-Allow-Origin", "a%0d%0ab"},
		{poll("Origin: a\r\n b"), "Access-Control-Allow-Origin", "a b"},
		{preflight("Access-Control-Request-Headers: X-One, x-two"), "Access-Control-Allow-Headers", "X-One, x-two"},
		{preflight("Access-Control-Request-Headers: X-One: two"), "Access-Control-Allow-Headers", ""},
		{preflight("Access-Control-Request-Headers: X-One\tX-Two"), "Access-Control-Allow-Headers", ""},
		{preflight("Access-Control-Request-Headers: X-\xe5\x98\x8a"), "Access-Control-Allow-Headers", ""},
		{preflight("Access-Control-Request-Headers: a%0d%0ab"), "Access-Control-Allow-Headers", "a%0d%0ab"},
		{upgrade("Sec-WebSocket-Protocol: one, two"), "Sec-Websocket-Protocol", "one"},
		{upgrade("Sec-WebSocket-Protocol: a:b, a\"b, a b, \xe5, two"), "Sec-Websocket-Protocol", "two"},
		{upgrade("Sec-WebSocket-Protocol: a/b"), "Sec-Websocket-Protocol", ""},
		{upgrade(offer + "; server_max_window_bits=15; client_max_window_bits"), "Sec-Websocket-Extensions",
			"permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=15"},
		{upgrade(offer + "; x-evil"), "Sec-Websocket-Extensions", ""},
		{upgrade(offer + "; client_max_window_bits=\"15\r\n X-Evil: 1\""), "Sec-Websocket-Extensions", ""},
	}
	s := spec{EveryOrigin: true, Deflate: true}
	attack(t, s, 1, 20, func(t *testing.T, x *target, n int) {
		x.struck = n * len(wants)
		for i := range x.struck {
			want := wants[i%len(wants)]
			w := x.wire(t)
			w.say(t, want.text)
			method, _, _ := strings.Cut(want.text, " ")
			if a := w.answer(t, method); a.get(want.header) != want.value || a.status >= 400 {
				t.Errorf("%q is answered %d with %q, want %q", want.text, a.status, a.get(want.header), want.value)
			}
			w.end()
		}
		x.tell(t, commandClose)
	})
}

// Whatever is in a Cookie header, the cookie with the id is one, and is the id.
func TestCookies(t *testing.T) {
	cookies := append([]string{"io=abc", "io=abc; io=def", "io=\"; Path=/evil; \"", "=", ";;;;", strings.Repeat("a=b; ", 2000)}, injections...)
	attack(t, spec{Cookie: true}, 1, 5, func(t *testing.T, x *target, n int) {
		x.struck = n * len(cookies)
		for i := range x.struck {
			w := x.wire(t)
			w.say(t, poll("Cookie: "+cookies[i%len(cookies)]))
			for _, a := range w.answers(t, "GET") {
				_, id, _ := strings.Cut(a.body, `"sid":"`)
				id, _, _ = strings.Cut(id, `"`)
				if want := "io=" + id + "; path=/; HttpOnly; SameSite=Lax"; a.status == 200 && a.get("Set-Cookie") != want {
					t.Errorf("%q gets the cookie %q, want %q", cookies[i%len(cookies)], a.get("Set-Cookie"), want)
				}
			}
			w.end()
		}
		x.tell(t, commandClose)
	})
}
