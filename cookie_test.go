package engineio

import (
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
)

// sent is the cookie that an answer sets.
func sent(ctx *fasthttp.RequestCtx) *fasthttp.Cookie {
	var c fasthttp.Cookie
	_ = c.Parse(string(ctx.Response.Header.Peek("Set-Cookie")))
	return &c
}

func TestCookie(t *testing.T) {
	for _, c := range []struct {
		name   string
		cookie Cookie
		header []string
		want   string
	}{
		{"the defaults", Cookie{}, nil, "io=ID; path=/; HttpOnly; SameSite=Lax"},
		{"a name", Cookie{Name: "sid"}, nil, "sid=ID; path=/; HttpOnly; SameSite=Lax"},
		{"a path", Cookie{Path: "/app"}, nil, "io=ID; path=/app; HttpOnly; SameSite=Lax"},
		{"a domain", Cookie{Domain: "example.com"}, nil, "io=ID; domain=example.com; path=/; HttpOnly; SameSite=Lax"},
		{"an age", Cookie{MaxAge: 90*time.Second + 900*time.Millisecond}, nil, "io=ID; max-age=90; path=/; HttpOnly; SameSite=Lax"},
		{"strict", Cookie{SameSite: fasthttp.CookieSameSiteStrictMode}, nil, "io=ID; path=/; HttpOnly; SameSite=Strict"},
		{"none", Cookie{SameSite: fasthttp.CookieSameSiteNoneMode}, nil, "io=ID; path=/; HttpOnly; secure; SameSite=None"},
		{"secure", Cookie{Secure: true}, nil, "io=ID; path=/; HttpOnly; secure; SameSite=Lax"},
		{"for scripts", Cookie{ScriptAccess: true}, nil, "io=ID; path=/; SameSite=Lax"},
		{"by TLS", Cookie{}, []string{"X-Forwarded-Proto: https"}, "io=ID; path=/; HttpOnly; secure; SameSite=Lax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := newTestServer(Config{Cookie: &c.cookie, TrustedProxies: []string{"0.0.0.0"}})
			ctx := visit(t, srv, "GET", handshake4, c.header...)
			id := onlySession(t, srv).ID()
			if got, want := string(ctx.Response.Header.Peek("Set-Cookie")), strings.Replace(c.want, "ID", id, 1); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

// The cookie comes with the response that opens the session, and with no other.
func TestCookieComesOnce(t *testing.T) {
	srv := newTestServer(Config{Cookie: &Cookie{}})
	has := func(ctx *fasthttp.RequestCtx) bool { return len(ctx.Response.Header.Peek("Set-Cookie")) > 0 }
	if !has(visit(t, srv, "GET", handshake4)) {
		t.Error("the handshake has none")
	}
	s := onlySession(t, srv)
	_ = s.SendText("x")
	again := handshake4 + "&sid=" + s.ID()
	for what, ctx := range map[string]*fasthttp.RequestCtx{
		"a poll":         visit(t, srv, "GET", again),
		"an upgrade":     visit(t, srv, "GET", webSocket4+"&sid="+s.ID(), upgradeHeader...),
		"a refusal":      visit(t, srv, "GET", "EIO=4&transport=pigeon"),
		"a preflight":    visit(t, srv, "OPTIONS", again, "Origin: http://example.com"),
		"without":        visit(t, newTestServer(Config{}), "GET", handshake4),
		"a wrong method": visit(t, srv, "PUT", again),
	} {
		if has(ctx) {
			t.Errorf("%s has one: %s", what, ctx.Response.Header.Peek("Set-Cookie"))
		}
	}
}

func TestCookieOnWebSocket(t *testing.T) {
	var s *Session
	srv := newTestServer(Config{Cookie: &Cookie{}, OnHandshake: func(opened *Session, _ *fasthttp.RequestCtx) error {
		s = opened
		return nil
	}})
	ctx := visit(t, srv, "GET", webSocket4, upgradeHeader...)
	if ctx.Response.StatusCode() != 101 || string(sent(ctx).Value()) != s.ID() {
		t.Errorf("answered %d with the cookie %v", ctx.Response.StatusCode(), sent(ctx))
	}
	s.CloseNow() // nobody hijacks
}

// New copies the Config, what it points to included.
func TestCookieIsCopied(t *testing.T) {
	given := Cookie{}
	srv := newTestServer(Config{Cookie: &given})
	given.Name, given.Secure = "other", true
	if c := sent(visit(t, srv, "GET", handshake4)); string(c.Key()) != "io" || c.Secure() {
		t.Errorf("the cookie is %v", c)
	}
	if given.Path != "" {
		t.Error("the application's value was changed")
	}
}
