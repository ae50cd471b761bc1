package engineio

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fasteio/engineio/codec"
)

func TestTheFirstNamesTheReason(t *testing.T) {
	cause := errors.New("what lay behind it")
	closing := func(s *Session) { s.Close() }
	for _, c := range []struct {
		name  string
		calls []func(*Session)
		want  Reason
		err   error
	}{
		{"Close, then the client goes", []func(*Session){closing, func(s *Session) { s.terminate(ReasonTransportClose, cause) }}, ReasonServerClose, cause},
		{"Close, then CloseNow", []func(*Session){closing, (*Session).CloseNow}, ReasonServerClose, nil},
		{"Shutdown, then Close", []func(*Session){func(s *Session) { s.close(ReasonShutdown) }, closing, (*Session).CloseNow}, ReasonShutdown, nil},
		{"the client goes, then Close", []func(*Session){func(s *Session) { s.terminate(ReasonClientClose, nil) }, closing}, ReasonClientClose, nil},
		{"two that terminate", []func(*Session){
			func(s *Session) { s.terminate(ReasonPingTimeout, nil) },
			func(s *Session) { s.terminate(ReasonTransportError, cause) },
		}, ReasonPingTimeout, nil},
		{"the last word of a closing session", []func(*Session){closing, func(s *Session) { s.closeDelivered() }}, ReasonServerClose, nil},
		{"a poll too many while closing", []func(*Session){closing, func(s *Session) { s.terminate(ReasonTransportError, errPollOverlap) }}, ReasonServerClose, errPollOverlap},
	} {
		t.Run(c.name, func(t *testing.T) {
			var told []string
			srv := newTestServer(Config{OnDisconnect: func(_ *Session, why *CloseError) {
				told = append(told, fmt.Sprint(why.Reason, " ", why.Err))
			}})
			s := openPolling(t, srv, V4)
			for _, call := range c.calls {
				call(s)
			}
			settled(t, srv)
			if want := fmt.Sprint(c.want, " ", c.err); len(told) != 1 || told[0] != want {
				t.Errorf("told %q, want %q once", told, want)
			}
			var e *CloseError
			if err := context.Cause(s.Context()); !errors.As(err, &e) || e.Reason != c.want || !errors.Is(e.Err, c.err) {
				t.Errorf("the cause is %v", err)
			}
		})
	}
}

func TestContext(t *testing.T) {
	behind := errors.New("what lay behind it")
	for _, early := range []bool{true, false} {
		s, _ := openRecorded(t, newTestServer(Config{}), V4)
		if early {
			if ctx := s.Context(); ctx.Err() != nil || ctx != s.Context() {
				t.Error("an open session's context has ended, or is another each time")
			}
		}
		s.terminate(ReasonTransportError, behind)
		err := context.Cause(s.Context())
		if !errors.Is(err, ErrClosed) || !errors.Is(err, behind) {
			t.Errorf("made early %v: the cause %v is not ErrClosed, or hides what lay behind", early, err)
		}
		if s.Context().Err() == nil {
			t.Errorf("made early %v: the context goes on", early)
		}
	}
}

// The context ends with the session, not with the wish to close it.
func TestContextWhileClosing(t *testing.T) {
	s := openPolling(t, newTestServer(Config{}), V4)
	_ = s.SendText("to be fetched")
	s.Close()
	if s.Context().Err() != nil {
		t.Error("the context ends before the queue has left")
	}
	if _, body := get(s); body != "4to be fetched\x1e1" {
		t.Errorf("got %q", body)
	}
	if s.Context().Err() == nil {
		t.Error("the context goes on after the last word")
	}
}

func TestSendAfterClose(t *testing.T) {
	for name, end := range map[string]func(*Session){"Close": (*Session).Close, "CloseNow": (*Session).CloseNow} {
		s := openPolling(t, newTestServer(Config{}), V4)
		end(s)
		for what, err := range map[string]error{
			"SendText": s.SendText("x"), "SendBinary": s.SendBinary([]byte("x")),
			"SendPrepared": s.SendPrepared(PrepareText(strings.Repeat("x", sharedFrom))),
		} {
			if !errors.Is(err, ErrClosed) {
				t.Errorf("%s after %s: %v", what, name, err)
			}
		}
		s.CloseNow()
	}
}

func TestSendBeforeOpen(t *testing.T) {
	s := newTestSession(t, newTestServer(Config{}), V4, Polling)
	if err := s.SendText("x"); !errors.Is(err, ErrNotOpen) {
		t.Errorf("SendText: %v", err)
	}
	if err := s.Flush(t.Context()); err != nil {
		t.Errorf("Flush of nothing: %v", err)
	}
	s.CloseNow()
}

func TestInvalidText(t *testing.T) {
	for _, c := range []struct {
		rev    Revision
		via    Transport
		text   string
		refuse bool
	}{
		{V4, Polling, "plain \u20ac \U0001F600", false},
		{V4, Polling, "\x00\x1d\x1f", false},
		{V4, Polling, "a\x1eb", true},
		{V4, Polling, "\x1e", true},
		{V4, WebSocket, "a\x1eb", false},
		{V3, Polling, "a\x1eb", false},
		{V3, WebSocket, "a\x1eb", false},
		{V4, Polling, "\xff", true},
		{V4, WebSocket, "a\xc3", true},
		{V3, Polling, "\xed\xa0\x80", true}, // half of a surrogate pair
		{V3, WebSocket, "\xff", true},
	} {
		s := newTestSession(t, newTestServer(Config{}), c.rev, Polling)
		s.connect(s.poll)
		s.transport.Store(uint32(c.via))
		queued := s.out.pushed
		for what, err := range map[string]error{
			"SendText": s.SendText(c.text), "SendPrepared": s.SendPrepared(PrepareText(c.text)),
		} {
			if errors.Is(err, ErrInvalidText) != c.refuse || !c.refuse && err != nil {
				t.Errorf("revision %d, %v, %s(%q): %v", c.rev, c.via, what, c.text, err)
			}
		}
		if c.refuse && s.out.pushed != queued {
			t.Errorf("%q was queued all the same", c.text)
		}
		if err := s.SendBinary([]byte(c.text)); err != nil {
			t.Errorf("SendBinary(%q): %v", c.text, err)
		}
		s.CloseNow()
	}
}

func TestOpenPacket(t *testing.T) {
	const want = `{"sid":"the id","upgrades":[%s],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`
	for _, c := range []struct {
		config   Config
		via      Transport
		upgrades string
	}{
		{Config{}, Polling, `"websocket"`},
		{Config{}, WebSocket, ``},
		{Config{DisableUpgrades: true}, Polling, ``},
		{Config{Transports: []Transport{Polling}}, Polling, ``},
		{Config{Transports: []Transport{WebSocket, Polling}}, Polling, `"websocket"`},
	} {
		for _, rev := range []Revision{V3, V4} {
			s := newTestSession(t, newTestServer(c.config), rev, c.via)
			s.id = "the id"
			if p := s.openPacket(); p.Type != codec.Open || p.Binary || string(p.Data) != fmt.Sprintf(want, c.upgrades) {
				t.Errorf("%v by %v: %s", c.config.Transports, c.via, p.Data)
			}
			s.CloseNow()
		}
	}
}

// What other packets mean is nothing: the session goes on.
func TestReceiveIgnores(t *testing.T) {
	s, r := openRecorded(t, newTestServer(Config{}), V4)
	for _, p := range []codec.Type{codec.Open, codec.Upgrade, codec.Noop} {
		s.receive(codec.Packet{Type: p}, nil)
	}
	if log := r.rest(); len(log) > 0 || s.isClosed() {
		t.Errorf("answered with %v, closed %v", log, s.isClosed())
	}
	s.CloseNow()
}

// A message that comes after Close finds nobody.
func TestMessagesWhileClosing(t *testing.T) {
	got := ""
	srv := newTestServer(Config{OnMessage: func(s *Session, m Message) {
		got += string(m.Data)
		s.Close()
	}})
	s := openPolling(t, srv, V4)
	if status, body := post(s, "4one\x1e4two"); status != 200 || body != "ok" {
		t.Errorf("POST: %d %q", status, body)
	}
	post(s, "4three")
	if got != "one" {
		t.Errorf("OnMessage saw %q", got)
	}
	if _, body := get(s); body != "1" {
		t.Errorf("the last GET has %q", body)
	}
}

// Answers to one payload leave together, and so does what is sent in OnConnect.
func TestBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{
			OnConnect: func(s *Session) { _ = s.SendText("hello") },
			OnMessage: func(s *Session, m Message) { _ = s.SendText(string(m.Data)) },
		})
		s := newTestSession(t, srv, V4, Polling)
		s.connect(s.poll)
		if _, body := get(s); !strings.HasSuffix(body, "\x1e4hello") {
			t.Errorf("the handshake has %q", body)
		}
		poll := make(chan string, 1)
		go func() { _, body := get(s); poll <- body }()
		synctest.Wait()
		post(s, "4a\x1e4b\x1e4c")
		if body := <-poll; body != "4a\x1e4b\x1e4c" {
			t.Errorf("the GET has %q", body)
		}
		s.CloseNow()
	})
}

// A callback that sends and takes its time holds back what it sent for a millisecond.
func TestSlowCallbackSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{OnMessage: func(s *Session, _ Message) {
			_ = s.SendText("working on it")
			time.Sleep(time.Minute)
		}, PingTimeout: time.Hour})
		s := openPolling(t, srv, V4)
		poll := make(chan string)
		go func() { _, body := get(s); poll <- body }()
		synctest.Wait() // it is parked: one that comes later takes what is there, cork or not
		start := time.Now()
		go post(s, "4go")
		if body := <-poll; body != "4working on it" || time.Since(start) != corkTimeout {
			t.Errorf("%q came after %v", body, time.Since(start))
		}
		time.Sleep(time.Hour)
		s.CloseNow()
	})
}

func TestOpenedAtAndQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{})
		time.Sleep(time.Minute)
		now := time.Now()
		s := openPolling(t, srv, V4)
		time.Sleep(time.Second)
		if !s.OpenedAt().Equal(now) {
			t.Errorf("opened at %v, want %v", s.OpenedAt(), now)
		}
		if n := s.Queued(); n != 0 {
			t.Errorf("%d bytes wait behind the open packet", n)
		}
		_ = s.SendText("hello")
		if n := s.Queued(); n != len("..4hello") { // a frame has a header of two bytes
			t.Errorf("%d bytes wait", n)
		}
		s.CloseNow()
	})
}
