package engineio

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

func TestReasons(t *testing.T) {
	names := make(map[string]bool)
	for r := ReasonServerClose; int(r) < len(reasons); r++ {
		name, code := r.String(), r.CloseCode()
		if name == "" || names[name] || name != strings.ToLower(name) {
			t.Errorf("reason %d is called %q", r, name)
		}
		names[name] = true
		if p := r.Initiator(); p < InitiatorServer || p > InitiatorNetwork || strings.Contains(p.String(), " ") {
			t.Errorf("%v was %v's doing", r, p)
		}
		if code < 1000 || code > 1011 || code == 1005 || code == 1006 {
			t.Errorf("%v is told by code %d, which does not travel", r, code)
		}
	}
	if len(names) != 12 {
		t.Errorf("there are %d reasons", len(names))
	}
	for _, r := range []Reason{0, 13, 255} {
		if r.String() != fmt.Sprintf("Reason(%d)", uint8(r)) || r.CloseCode() != 1011 || r.lingers() || r.Initiator().String() != "Initiator(0)" {
			t.Errorf("reason %d is %q, code %d", uint8(r), r, r.CloseCode())
		}
	}
}

func TestCloseError(t *testing.T) {
	behind := errors.New("reset by peer")
	e := &CloseError{Reason: ReasonTransportError, Err: behind}
	for _, target := range []error{ErrClosed, behind} {
		if !errors.Is(fmt.Errorf("wrapped: %w", e), target) {
			t.Errorf("it is not %v", target)
		}
	}
	if errors.Is(e, ErrQueueFull) {
		t.Error("it is ErrQueueFull")
	}
	if got := e.Error(); got != "engineio: transport error: reset by peer" {
		t.Error(got)
	}
	if got := (&CloseError{Reason: ReasonServerClose}).Error(); got != "engineio: server close" {
		t.Error(got)
	}
}

func TestRefusal(t *testing.T) {
	plain := errors.New("no")
	for _, c := range []struct {
		name    string
		err     error
		status  int
		code    int
		message string
	}{
		{"a plain error", plain, 403, 4, "Forbidden"},
		{"an empty one", &RequestError{}, 403, 4, "Forbidden"},
		{"a status", &RequestError{Status: 401}, 401, 4, "Forbidden"},
		{"a code", &RequestError{Code: 3}, 400, 3, "Bad request"},
		{"a message", &RequestError{Message: "no token"}, 403, 4, "no token"},
		{"a code of the application", &RequestError{Code: 100, Message: "m"}, 400, 100, "m"},
		{"a code without a text", &RequestError{Code: 100}, 400, 100, ""},
		{"no error status", &RequestError{Status: 200}, 403, 4, "Forbidden"},
		{"wrapped", fmt.Errorf("auth: %w", &RequestError{Status: 429}), 429, 4, "Forbidden"},
		{"nil in an interface", (*RequestError)(nil), 403, 4, "Forbidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := refusal(c.err)
			if e.Status != c.status || e.Code != c.code || e.Message != c.message {
				t.Errorf("answered %d, code %d, %q", e.Status, e.Code, e.Message)
			}
		})
	}
	if !errors.Is(refusal(plain), plain) {
		t.Error("the log does not learn of the plain error")
	}
	mine := &RequestError{}
	refusal(mine)
	if mine.Status != 0 || mine.Code != 0 || mine.Message != "" {
		t.Error("the application's value was changed")
	}
}

func TestRequestErrorDefaults(t *testing.T) {
	for code, want := range []string{
		"Transport unknown", "Session ID unknown", "Bad handshake method", "Bad request", "Forbidden", "Unsupported protocol version",
	} {
		e := refuse(code, nil).withDefaults()
		status := 400
		if code == CodeForbidden {
			status = 403
		}
		if e.Status != status || e.Message != want {
			t.Errorf("code %d is answered %d %q", code, e.Status, e.Message)
		}
		if text := e.Error(); !strings.Contains(text, want) || !strings.Contains(text, fmt.Sprint("code ", code)) {
			t.Errorf("code %d: %q", code, text)
		}
	}
}

// A refusal may have a header several times.
func TestRefusalHeaders(t *testing.T) {
	srv := newTestServer(Config{OnHandshake: func(*Session, *fasthttp.RequestCtx) error {
		return &RequestError{Status: 401, Header: http.Header{"Www-Authenticate": {"Basic", "Bearer"}, "X-Empty": nil}}
	}})
	ctx := visit(t, srv, "GET", "EIO=4&transport=polling")
	got := fmt.Sprintf("%s", ctx.Response.Header.PeekAll("WWW-Authenticate"))
	if ctx.Response.StatusCode() != 401 || got != "[Basic Bearer]" {
		t.Errorf("status %d, WWW-Authenticate %s", ctx.Response.StatusCode(), got)
	}
}
