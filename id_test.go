package engineio

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"unsafe"

	"github.com/valyala/fasthttp"
)

func TestGenerateID(t *testing.T) {
	broken := errors.New("no entropy")
	for _, c := range []struct {
		name string
		id   string
		err  error
		want error // what OnRequestRefused is told of
	}{
		{"one character", "a", nil, nil},
		{"all there are", "AZaz09-_.~", nil, nil},
		{"the longest", strings.Repeat("x", maxID), nil, nil},
		{"one more", strings.Repeat("x", maxID+1), nil, errIDInvalid},
		{"empty", "", nil, errIDInvalid},
		{"an ampersand", "a&b", nil, errIDInvalid},
		{"a space", "a b", nil, errIDInvalid},
		{"a quote", `a"b`, nil, errIDInvalid},
		{"a line feed", "a\nSet-Cookie: x", nil, errIDInvalid},
		{"an escape", "a%20b", nil, errIDInvalid},
		{"a slash", "a/b", nil, errIDInvalid},
		{"a plus", "a+b", nil, errIDInvalid},
		{"not ASCII", "\u00e9", nil, errIDInvalid},
		{"a zero", "a\x00", nil, errIDInvalid},
		{"in use", "taken", nil, errIDInUse},
		{"an error", "valid", broken, broken},
	} {
		for _, transport := range []string{handshake4, webSocket4} {
			t.Run(c.name+" "+transport, func(t *testing.T) { generate(t, transport, c.id, c.err, c.want) })
		}
	}
}

// generate has one handshake get an id or an error, and checks what the client gets.
func generate(t *testing.T, query, id string, err, want error) {
	var told error
	var opened *Session
	srv := newTestServer(Config{
		GenerateID:       func(*fasthttp.RequestCtx) (string, error) { return id, err },
		OnRequestRefused: func(_ *fasthttp.RequestCtx, _ netip.AddrPort, e *RequestError) { told = e.Err },
		OnHandshake:      func(s *Session, _ *fasthttp.RequestCtx) error { opened = s; return nil },
	})
	srv.registry.add(&Session{id: "taken"})
	defer srv.registry.remove(srv.registry.get([]byte("taken")))
	var header []string
	if query == webSocket4 {
		header = upgradeHeader
	}
	answer := &visit(t, srv, "GET", query, header...).Response
	if want == nil {
		if opened == nil || opened.ID() != id || query == handshake4 && !strings.Contains(string(answer.Body()), `{"sid":"`+id+`",`) {
			t.Fatalf("answered %d %s", answer.StatusCode(), answer.Body())
		}
		opened.CloseNow()
		return
	}
	if got := string(answer.Body()); answer.StatusCode() != 400 || got != `{"code":3,"message":"Bad request"}` {
		t.Errorf("answered %d %s", answer.StatusCode(), got)
	}
	if !errors.Is(told, want) || opened != nil || srv.places.count() != 0 || untold(srv) != 0 {
		t.Errorf("refused with %v, want %v; %d sessions", told, want, srv.places.count())
	}
}

// The application may build the id from the request, and the session keeps a copy.
func TestGenerateIDFromTheRequest(t *testing.T) {
	buffer := []byte("node1.")
	srv := newTestServer(Config{GenerateID: func(ctx *fasthttp.RequestCtx) (string, error) {
		buffer = append(buffer[:6], ctx.QueryArgs().Peek("name")...)
		return unsafe.String(unsafe.SliceData(buffer), len(buffer)), nil // as Fiber's strings are
	}})
	visit(t, srv, "GET", handshake4+"&name=Ada")
	if s, ok := srv.Session("node1.Ada"); !ok || s.ID() != "node1.Ada" {
		t.Error("the session has another id")
	}
	if status := visit(t, srv, "GET", handshake4+"&name=Ada").Response.StatusCode(); status != 400 {
		t.Errorf("the same id again is answered %d", status)
	}
	if status := visit(t, srv, "GET", handshake4+"&name=Eve").Response.StatusCode(); status != 200 {
		t.Errorf("another id is answered %d", status)
	}
	if s, ok := srv.Session("node1.Ada"); !ok || s.ID() != "node1.Ada" {
		t.Error("the id of a session changes with the request it came from")
	}
}

func TestNewID(t *testing.T) {
	seen := make(map[string]bool)
	for range 10_000 {
		id := newID()
		if len(id) != 20 || !validID(id) || seen[id] {
			t.Fatalf("%q is not 20 characters, not valid, or not the first", id)
		}
		seen[id] = true
	}
	for place := range 20 { // every character is random
		used := make(map[byte]bool)
		for id := range seen {
			used[id[place]] = true
		}
		if len(used) != 64 {
			t.Errorf("character %d has %d values", place, len(used))
		}
	}
}

func TestValidIDIsOfBytes(t *testing.T) {
	const valid = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~"
	for c := range 256 {
		id := string([]byte{byte(c)})
		if validID("a"+id+"b") != strings.Contains(valid, id) {
			t.Errorf("character %q", id)
		}
	}
}

// Two handshakes get the same id at once: the check before OnHandshake finds it free for both.
func TestSameIDAtOnce(t *testing.T) {
	for _, cookie := range []*Cookie{nil, {}} {
		var told []error
		var disconnected, depth int
		config := Config{
			Cookie:           cookie,
			GenerateID:       func(*fasthttp.RequestCtx) (string, error) { return "same", nil },
			OnRequestRefused: func(_ *fasthttp.RequestCtx, _ netip.AddrPort, e *RequestError) { told = append(told, e.Err) },
			OnDisconnect:     func(*Session, *CloseError) { disconnected++ },
		}
		var first *fasthttp.RequestCtx
		var srv *Server
		config.OnHandshake = func(*Session, *fasthttp.RequestCtx) error {
			if depth++; depth == 1 {
				first = visit(t, srv, "GET", handshake4) // another client, meanwhile
			}
			return nil
		}
		srv = newTestServer(config)
		second := visit(t, srv, "GET", handshake4)
		if first.Response.StatusCode() != 200 || (len(first.Response.Header.Peek("Set-Cookie")) > 0) != (cookie != nil) {
			t.Errorf("the first is answered %d", first.Response.StatusCode())
		}
		if body := string(second.Response.Body()); second.Response.StatusCode() != 400 || body != `{"code":3,"message":"Bad request"}` {
			t.Errorf("the second is answered %d %s", second.Response.StatusCode(), body)
		}
		if got := second.Response.Header.Peek("Set-Cookie"); len(got) > 0 {
			t.Errorf("the second gets a cookie: %s", got)
		}
		if len(told) != 1 || !errors.Is(told[0], errIDInUse) || srv.places.count() != 1 {
			t.Errorf("refused with %v; %d sessions", told, srv.places.count())
		}
		if err := onlySession(t, srv).SendText("kept"); err != nil {
			t.Errorf("the first: %v", err)
		}
		shut(srv)
		settled(t, srv)
		if disconnected != 1 {
			t.Errorf("OnDisconnect ran %d times", disconnected)
		}
	}
}

func TestSameIDAtOnceOnWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{OnMessage: func(s *Session, _ Message) { _ = s.SendText("yes") }})
		s, first := openPipe(t, srv, V4)
		if err := srv.admit(netip.Addr{}); err != nil {
			t.Fatal(err)
		}
		twin := srv.newSession(netip.AddrPort{}, s.id, request{transport: WebSocket, revision: V4})
		second := servePipe(t, newWebSocket(twin), newWebSocket(twin).serve, true)
		second.expect(t, "8 1000 ")
		second.close()
		first.send("4are you there?")
		first.expect(t, "1 4yes")
		if onlySession(t, srv) != s {
			t.Error("the id is the second's")
		}
		first.close()
	})
}
