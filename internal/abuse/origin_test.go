package abuse

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio/internal/enginetest"
)

// A page is where a browser says that a request comes from, and whether the server should listen.
type page struct {
	origin  string
	allowed bool
}

var pages = []page{
	{"http://victim.example", true}, {"https://victim.example", true}, {"HTTP://VICTIM.EXAMPLE", true},
	{"http://victim.example:80", true}, {"https://friend.example", true}, {"https://friend.example:443", true},
	{"https://a.b.sub.example", true},

	{"http://evil.example", false}, {"null", false}, {"NULL", false}, {"*", false}, {"https://*", false},
	{"http://victim.example:8080", false}, {"http://victim.example:443", false}, {"https://victim.example:80", false},
	{"http://victim.example.", false}, {"http://victim.example.evil.example", false}, {"http://evilvictim.example", false},
	{"http://victim.example@evil.example", false}, {"http://evil.example@victim.example", false},
	{"http://victim.example:80@evil.example", false}, {"http://evil.example#victim.example", false},
	{"http://evil.example/victim.example", false}, {"http://victim.example/", false},
	{"http://victim.example\\evil.example", false},
	{"//victim.example", false}, {"victim.example", false}, {"http:victim.example", false},
	{"javascript://victim.example", false},
	{"file://victim.example", false}, {"http://victim.example http://evil.example", false},
	{"http://evil.example, http://victim.example", false},
	{"http://victim\u3002example", false}, {"http://\u24e5ictim.example", false},
	{"http://victim.example%00.evil.example", false},
	{"http://[::1]", false}, {"http://127.0.0.1", false}, {"http://victim.example:080", false},
	{"http://victim.example:", false},
	{"http://friend.example", false}, {"https://friend.example:8443", false},
	{"https://friend.example.evil.example", false},
	{"https://evilfriend.example", false}, {"https://sub.example", false}, {"https://evilsub.example", false},
	{"https://.sub.example", false}, {"https://evil.example/.sub.example", false},
	{"https://evil.example?.sub.example", false},
	{"https://evil.example#.sub.example", false}, {"https://evil.example\\.sub.example", false},
	{"https://a.sub.example.", false},
}

// Pages of other sites get 403 on every way in: the handshake by polling and by WebSocket, preflights, polls,
// POSTs and upgrades of a session that their visitor has. They are not told of a header that would let them
// read the answer.
func TestForeignOrigins(t *testing.T) {
	s := spec{Origins: []string{"https://friend.example", "https://*.sub.example"}}
	attack(t, s, 1, 6, func(t *testing.T, x *target, n int) {
		p := enginetest.Connect(t, x.http(), enginetest.Setup{}).(*enginetest.Polling)
		sid := "&sid=" + p.Handshake().SID
		requests := map[string]struct {
			text   string
			status int // of pages that may
		}{
			"polling":   {request("GET", openPath, "", "Origin: %"), 200},
			"JSONP":     {request("GET", openPath+"&j=0", "", "Origin: %"), 200},
			"WebSocket": {upgradeRequest(webSocketPath, "Origin: %"), 101},
			"preflight": {request("OPTIONS", openPath, "", "Origin: %", "Access-Control-Request-Method: POST"), 204},
			"POST":      {request("POST", openPath+sid, "6", "Origin: %"), 200},
			"unknown":   {request("GET", openPath+"&sid=nobody", "", "Origin: %"), 400},
			"upgrade":   {upgradeRequest(webSocketPath+sid, "Origin: %"), 101},
		}
		x.struck = n * len(pages) * len(requests)
		for i := range n * len(pages) {
			for name, r := range requests {
				page := pages[i%len(pages)]
				w := x.wire(t)
				a := w.exchange(t, strings.Replace(r.text, "%", page.origin, 1))
				want, reflected := r.status, page.origin
				if !page.allowed {
					want, reflected = 403, ""
				}
				if a.status != want || a.get("Access-Control-Allow-Origin") != reflected || want == 403 && a.body != badOrigin {
					t.Errorf("%s from %q: %+v", name, page.origin, a)
				}
				w.end()
			}
		}
		echoes(t, p, enginetest.Text("nothing has happened"))
		p.Close()
		x.tell(t, commandClose)
	})
}

// The host that an origin is compared with is not the client's to choose: X-Forwarded-Host counts from trusted
// proxies.
func TestForwardedHosts(t *testing.T) {
	const evil, forwarded = "Origin: http://evil.example", "X-Forwarded-Host: evil.example"
	for name, trusted := range map[string]bool{"trusted": true, "untrusted": false} {
		t.Run(name, func(t *testing.T) {
			s := spec{Proxies: []string{"192.0.2.1"}}
			if trusted {
				s.Proxies = []string{"127.0.0.0/8"}
			}
			attack(t, s, 5, 60, func(t *testing.T, x *target, n int) {
				for range n {
					for _, text := range []string{
						request("GET", openPath, "", evil, forwarded),
						upgradeRequest(webSocketPath, evil, forwarded, "X-Forwarded-For: 127.0.0.1"),
						request("GET", openPath, "", evil, "X-Forwarded-Host: evil.example, victim.example", "Forwarded: host=evil.example"),
					} {
						w := x.wire(t)
						if a := w.exchange(t, text); (a.status < 400) != trusted || !trusted && a.body != badOrigin {
							t.Errorf("answered %+v", a)
						}
						w.end()
						w = x.wire(t) // behind a proxy the own host is the one that it names
						if a := w.exchange(t, strings.Replace(text, evil, "Origin: http://victim.example", 1)); (a.status < 400) == trusted {
							t.Errorf("the own host: answered %+v", a)
						}
						w.end()
					}
				}
				x.tell(t, commandClose)
			})
		})
	}
}

// ownPage is what a browser says of a script tag in a page of the server's own.
const ownPage = "Sec-Fetch-Site: same-origin"

// JSONP, whose script tags send no Origin, is judged by what they do send.
func TestForeignScripts(t *testing.T) {
	scripts := []struct {
		lines   []string
		allowed bool
	}{
		{nil, false}, // of a page that hides, by plain HTTP
		{[]string{"Sec-Fetch-Site: same-origin"}, true}, {[]string{"Sec-Fetch-Site: none"}, true},
		{[]string{"Referer: http://victim.example/page"}, true},
		{[]string{"Sec-Fetch-Site: cross-site"}, false}, {[]string{"Sec-Fetch-Site: same-site"}, false},
		{[]string{"Sec-Fetch-Site: cross-site", "Referer: http://evil.example/"}, false},
		{[]string{"Referer: http://evil.example/"}, false}, {[]string{"Referer: http://victim.example@evil.example/"}, false},
		{[]string{"Referer: //victim.example/"}, false}, {[]string{"Referer: http://evil.example/http://victim.example"}, false},
		{[]string{"Referer: http://victim.example%2f@evil.example/"}, false}, {[]string{"Referer: %zz"}, false},
		{[]string{"Sec-Fetch-Site: cross-site", "Origin: http://victim.example"}, true}, // scripts cannot forge that
		{[]string{"Sec-Fetch-Site: same-origin", "Origin: http://evil.example"}, false},
	}
	attack(t, spec{}, 1, 30, func(t *testing.T, x *target, n int) {
		x.struck = n * len(scripts)
		for i := range x.struck {
			s := scripts[i%len(scripts)]
			w := x.wire(t)
			if a := w.exchange(t, request("GET", openPath+"&j=0", "", s.lines...)); (a.status == 200) != s.allowed || !s.allowed && a.status != 403 {
				t.Errorf("%q: answered %+v", s.lines, a)
			}
			w.end()
		}
		x.tell(t, commandClose)
	})
}

// The page does not choose the host by a target either, such as that of new
// WebSocket("ws://victim//evil.example/engine.io/"). fasthttp takes a target with "://" anywhere in it for one
// that names a host, so its Host() is not what to ask.
func TestHostInTheTarget(t *testing.T) {
	targets := []string{
		"//evil.example/engine.io/?EIO=4&transport=%s&x=://", "//evil.example/engine.io/?EIO=4&transport=%s#://",
		"//evil.example/engine.io/?://&EIO=4&transport=%s", "//evil.example/engine.io/?EIO=4&transport=%s&j=0&x=://",
		"//x@evil.example/engine.io/?EIO=4&transport=%s&x=://", "//evil.example/engine.io?EIO=4&transport=%s&x=://",
		"//evil.example/engine.io/?EIO=4&transport=%s", "http://evil.example/engine.io/?EIO=4&transport=%s",
		"http://victim.example@evil.example/engine.io/?EIO=4&transport=%s", "/\\evil.example/engine.io/?EIO=4&transport=%s&x=://",
		"///evil.example/engine.io/?EIO=4&transport=%s&x=://", "/http://evil.example/engine.io/?EIO=4&transport=%s",
		"/engine.io/?EIO=4&transport=%s&x=http://evil.example/engine.io/", "/engine.io/?EIO=4&transport=%s&x=//evil.example/&y=://",
	}
	attack(t, spec{}, 1, 20, func(t *testing.T, x *target, n int) {
		x.struck = 2 * n * len(targets)
		for i := range n * len(targets) {
			polling, webSocket := fmt.Sprintf(targets[i%len(targets)], "polling"), fmt.Sprintf(targets[i%len(targets)], "websocket")
			for _, text := range []string{
				request("GET", polling, "", "Origin: http://evil.example"),
				upgradeRequest(webSocket, "Origin: http://evil.example"),
				request("OPTIONS", polling, "", "Origin: http://evil.example", "Access-Control-Request-Method: POST"),
				request("GET", strings.Replace(polling, "?", "?j=0&", 1), "", "Sec-Fetch-Site: cross-site", "Referer: http://evil.example/"),
			} {
				w := x.wire(t)
				a := w.exchange(t, text)
				if a.status < 400 && !strings.Contains(a.body, "Cannot") || a.get("Access-Control-Allow-Origin") != "" {
					t.Errorf("%.120q is answered %+v", text, a)
				}
				w.end()
			}
		}
		if got := x.counts(t).Len; got != 0 {
			t.Errorf("%d sessions", got)
			x.tell(t, commandClose)
		}
	})
}
