package engineio

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio/internal/ws"
)

// volatileSends are the ways to send a volatile message.
var volatileSends = map[string]func(s *Session) error{
	"4text": func(s *Session) error { return s.Send(Message{Data: []byte("text")}, Volatile) },
	"bAQI=": func(s *Session) error { return s.Send(Message{Data: []byte{1, 2}, Binary: true}, Volatile) },
	"4both": func(s *Session) error { return s.Send(Message{Data: []byte("both")}, Volatile|NoCompress) },
	"4prepared": func(s *Session) error {
		return s.SendPrepared(Prepare(Message{Data: []byte("prepared")}, Volatile))
	},
	"4" + longText: func(s *Session) error { return s.SendPrepared(Prepare(Message{Data: []byte(longText)}, Volatile)) },
}

var longText = strings.Repeat("long ", sharedFrom)

// dropped fails unless a volatile message is refused, and nothing else.
func dropped(t *testing.T, s *Session, when string) {
	t.Helper()
	before := s.out.pushed
	for what, send := range volatileSends {
		if err := send(s); !errors.Is(err, ErrNotReady) {
			t.Errorf("%s: %.10q volatile: %v, want ErrNotReady", when, what, err)
		}
	}
	if s.out.pushed != before {
		t.Errorf("%s: a volatile message was queued", when)
	}
}

// parking is a GET that waits, and its body.
func parking(s *Session) <-chan string {
	body := make(chan string, 1)
	go func() { _, b := get(s); body <- b }()
	synctest.Wait()
	return body
}

func TestVolatileOnPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		dropped(t, s, "before the first poll")
		for body, send := range volatileSends {
			poll := parking(s)
			if err := send(s); err != nil {
				t.Errorf("a GET is parked: %v", err)
			}
			if got := <-poll; got != body {
				t.Errorf("the GET has %.10q, want %.10q", got, body)
			}
			dropped(t, s, "after the answer")
		}
		if err := s.SendText("not volatile"); err != nil {
			t.Fatal(err)
		}
		dropped(t, s, "behind a queue")
		if _, body := get(s); body != "4not volatile" {
			t.Errorf("the next GET has %q", body)
		}
		s.Close()
		if err := s.Send(Message{}, Volatile); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v, want ErrClosed", err)
		}
		s.CloseNow()
	})
}

// All that is sent before the parked GET looks goes into its answer.
func TestVolatileUnderACork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{OnMessage: func(s *Session, m Message) {
			for range 2 {
				if err := s.Send(m, Volatile); err != nil {
					t.Error(err)
				}
			}
		}})
		s := openPolling(t, srv, V4)
		poll := parking(s)
		post(s, "4x")
		if body := <-poll; body != "4x\x1e4x" {
			t.Errorf("the GET has %q", body)
		}
		s.CloseNow()
	})
}

func TestVolatileAfterANoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		poll := parking(s)
		s.poll.answerNoop()
		if body := <-poll; body != "6" {
			t.Fatalf("the GET has %q, want a noop", body)
		}
		dropped(t, s, "after a noop")
		poll = parking(s)
		if err := s.Send(Message{Data: []byte("x")}, Volatile); err != nil || <-poll != "4x" {
			t.Errorf("at the next GET: %v", err)
		}
		s.CloseNow()
	})
}

// The GET's answer is on its way, and the next GET is not.
func TestVolatileDuringTheAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answers := 0
		srv := newTestServer(Config{OnHeaders: func(s *Session, ctx *fasthttp.RequestCtx, _ bool) {
			if ctx.IsGet() {
				answers++
				dropped(t, s, "during the answer")
			}
		}})
		s := openPolling(t, srv, V4)
		poll := parking(s)
		_ = s.SendText("x")
		<-poll
		poll = parking(s)
		s.poll.answerNoop()
		<-poll
		if answers != 3 {
			t.Errorf("looked at %d answers, want 3", answers)
		}
		s.CloseNow()
	})
}

func TestVolatileOnWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTestSession(t, newTestServer(Config{}), V4, WebSocket)
		server, client := net.Pipe()
		conn := &hanging{guard: newGuard(t, server), gate: make(chan struct{})}
		c := serveConn(t, conn, client, newWebSocket(s).serve)
		c.next(t)
		for what, send := range volatileSends {
			synctest.Wait()
			if err := send(s); err != nil {
				t.Errorf("%.10q with nothing under way: %v", what, err)
			}
			c.next(t)
		}
		synctest.Wait()
		conn.hang()
		_ = s.SendText("hangs")
		synctest.Wait()
		dropped(t, s, "during a write")
		_ = s.SendText("waits")
		dropped(t, s, "behind a queue")
		close(conn.gate)
		c.expect(t, "1 4hangs", "1 4waits")
		synctest.Wait()
		if err := s.Send(Message{Data: []byte("again")}, Volatile); err != nil {
			t.Errorf("after the write: %v", err)
		}
		c.expect(t, "1 4again")
		c.close()
	})
}

func TestVolatileAfterAnUpgrade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := openPolling(t, newTestServer(Config{}), V4)
		c := probing(t, s)
		c.send("2probe")
		c.expect(t, "1 3probe")
		dropped(t, s, "during the probe")
		c.send("5")
		synctest.Wait()
		if err := s.Send(Message{Data: []byte("x")}, Volatile); err != nil {
			t.Errorf("after the upgrade: %v", err)
		}
		c.expect(t, "1 4x")
		c.close()
	})
}

// A run of messages shares a chunk with those of its kind only.
func TestNoCompressHasItsOwnChunks(t *testing.T) {
	o := openOutbox(new(bell), 1<<20)
	small := func(opts SendOption) *PreparedMessage { return Prepare(Message{Data: []byte("prepared")}, opts) }
	large := Prepare(Message{Data: []byte(longText)}, NoCompress)
	for _, err := range []error{
		o.push(text("a"), 0), o.pushPrepared(small(0)), o.push(text("b"), NoCompress), o.pushPrepared(small(NoCompress)),
		o.push(text("c"), 0), o.pushPrepared(large), o.push(text("d"), 0),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	for c := o.first; c != nil; c = c.next {
		n := 0
		for frames := c.frames(); len(frames) > 0; n++ {
			_, _, frames = ws.Split(frames)
		}
		got = append(got, fmt.Sprintf("%d %v", n, c.noCompress))
	}
	if want := []string{"2 false", "2 true", "1 false", "1 true", "1 false"}; !slices.Equal(got, want) {
		t.Errorf("chunks are %q, want %q", got, want)
	}
}

func TestSendJSON(t *testing.T) {
	broken := errors.New("does not encode")
	custom := func(v any) ([]byte, error) {
		if err, ok := v.(error); ok {
			return nil, err
		}
		return fmt.Append(nil, v), nil
	}
	for _, c := range []struct {
		name string
		json func(any) ([]byte, error)
		v    any
		body string
		err  error
	}{
		{"the default", nil, map[string]int{"a": 1}, `4{"a":1}`, nil},
		{"the default escapes", nil, "a\x1e\xff<", "4\"a\\u001e\\ufffd\\u003c\"", nil},
		{"nothing", nil, nil, "4null", nil},
		{"custom", custom, 7, "47", nil},
		{"an error", custom, broken, "", broken},
		{"not UTF-8", custom, "\xff", "", ErrInvalidText},
		{"a separator", custom, "a\x1eb", "", ErrInvalidText},
		{"too much", custom, longText + longText, "", ErrQueueFull},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := openPolling(t, newTestServer(Config{MarshalJSON: c.json, MaxQueuedBytes: len(longText)}), V4)
			if errors.Is(c.err, ErrQueueFull) {
				_ = s.SendText("x")
				get(s)
				_ = s.SendText("the one that always fits")
				c.body = "4the one that always fits"
			}
			if err := s.SendJSON(c.v); !errors.Is(err, c.err) {
				t.Errorf("%v, want %v", err, c.err)
			}
			if c.body != "" {
				if _, body := get(s); body != c.body {
					t.Errorf("the GET has %q, want %q", body, c.body)
				}
			} else if s.out.first != nil {
				t.Error("something was queued")
			}
			s.CloseNow()
			if err := s.SendJSON(c.v); c.err == nil && !errors.Is(err, ErrClosed) {
				t.Errorf("after CloseNow: %v", err)
			}
		})
	}
}

func TestSendJSONCannotEncode(t *testing.T) {
	s := openPolling(t, newTestServer(Config{}), V4)
	if err := s.SendJSON(func() {}); err == nil || errors.Is(err, ErrInvalidText) || s.out.first != nil {
		t.Errorf("a function: %v", err)
	}
	s.CloseNow()
}

// setPing has OnHandshake set a heartbeat of 1.5 s and 0.7 s.
func setPing(s *Session, _ *fasthttp.RequestCtx) error {
	return s.SetPing(1500*time.Millisecond, 700*time.Millisecond)
}

func TestSetPingIsAnnounced(t *testing.T) {
	const want = `"pingInterval":1500,"pingTimeout":700,`
	srv := newTestServer(Config{OnHandshake: setPing, OnConnect: func(s *Session) {
		if err := s.SetPing(time.Second, time.Second); !errors.Is(err, ErrTooLate) {
			t.Errorf("in OnConnect: %v, want ErrTooLate", err)
		}
	}})
	for _, query := range []string{handshake4, handshake3} {
		if body := string(visit(t, srv, "GET", query).Response.Body()); !strings.Contains(body, want) {
			t.Errorf("%s: the handshake has %q, want %s", query, body, want)
		}
	}
	plain := newTestServer(Config{})
	if body := string(visit(t, plain, "GET", handshake4).Response.Body()); strings.Contains(body, want) {
		t.Errorf("without SetPing the handshake has %q", body)
	}
}

// beating is an open session with setPing and a recorder.
func beating(t *testing.T, rev Revision) (*Session, *recorder) {
	t.Helper()
	s := newTestSession(t, newTestServer(Config{OnHandshake: setPing}), rev, WebSocket)
	if err := s.handshake(nil); err != nil {
		t.Fatal(err)
	}
	r := &recorder{s: s, start: time.Now()}
	s.connect(r)
	r.rest()
	return s, r
}

func TestSetPingIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, r := beating(t, V4)
		for round := range 5 {
			began := time.Now()
			time.Sleep(1500 * time.Millisecond)
			synctest.Wait()
			log := r.rest()
			if len(log) != 1 || log[0].what != "2" || round > 0 && r.start.Add(log[0].at).Sub(began) != 1500*time.Millisecond {
				t.Fatalf("round %d: within the interval came %v, want one ping", round, log)
			}
			s.receive(pong(), nil)
		}
		if d := untilEnd(t, s, ReasonPingTimeout); d != 2200*time.Millisecond {
			t.Errorf("revision 4: ended %v after the last pong", d)
		}
		s, _ = beating(t, V3)
		time.Sleep(time.Second)
		s.receive(ping(), nil)
		if d := untilEnd(t, s, ReasonPingTimeout); d != 2200*time.Millisecond {
			t.Errorf("revision 3: ended %v after the last ping", d)
		}
	})
}

func TestSetPingRefuses(t *testing.T) {
	s := newTestSession(t, newTestServer(Config{}), V4, Polling)
	for _, d := range [][2]time.Duration{{0, time.Second}, {time.Second, 0}, {-1, time.Second}, {time.Millisecond - 1, time.Second}, {time.Second, 20}} {
		if err := s.SetPing(d[0], d[1]); err == nil || errors.Is(err, ErrTooLate) {
			t.Errorf("SetPing(%v, %v): %v", d[0], d[1], err)
		}
	}
	if s.pingInterval != interval || s.pingTimeout != timeout {
		t.Errorf("a heartbeat that was refused is set: %v, %v", s.pingInterval, s.pingTimeout)
	}
	if err := s.SetPing(time.Millisecond, time.Millisecond); err != nil {
		t.Error(err)
	}
	if err := s.handshake(nil); err != nil {
		t.Fatal(err)
	}
	if err := s.SetPing(time.Second, time.Second); !errors.Is(err, ErrTooLate) || s.pingInterval != time.Millisecond {
		t.Errorf("after the handshake: %v", err)
	}
	s.CloseNow()
}

// initial is a server with a greeting, and a word of OnConnect behind it.
func initial(m Message) *Server {
	return newTestServer(Config{InitialMessage: &m, OnConnect: func(s *Session) { _ = s.SendText("connected") }})
}

func TestInitialMessageOnPolling(t *testing.T) {
	for _, c := range []struct {
		query string
		m     Message
		tail  string // behind the open packet
	}{
		{handshake4, Message{Data: []byte("welcome")}, "}\x1e4welcome\x1e4connected"},
		{handshake4, Message{Data: []byte{1, 2}, Binary: true}, "}\x1ebAQI=\x1e4connected"},
		{handshake4, Message{}, "}\x1e4\x1e4connected"},
		{handshake3, Message{Data: []byte("welcome")}, "}8:4welcome10:4connected"},
		{handshake3 + "&b64=1", Message{Data: []byte{1, 2}, Binary: true}, "}6:b4AQI=10:4connected"},
	} {
		srv := initial(c.m)
		if body := string(visit(t, srv, "GET", c.query).Response.Body()); !strings.HasSuffix(body, c.tail) {
			t.Errorf("%s: the handshake has %q, want %q behind the open packet", c.query, body, c.tail)
		}
	}
}

func TestInitialMessageOnWebSocket(t *testing.T) {
	for _, rev := range []Revision{V3, V4} {
		synctest.Test(t, func(t *testing.T) {
			_, c := openPipe(t, initial(Message{Data: []byte("welcome")}), rev)
			c.expect(t, "1 4welcome", "1 4connected")
			c.close()
		})
	}
}

func TestInitialMessageIsCopied(t *testing.T) {
	m := Message{Data: []byte("welcome")}
	srv := newTestServer(Config{InitialMessage: &m})
	clear(m.Data)
	m.Binary = true
	if body := string(visit(t, srv, "GET", handshake4).Response.Body()); !strings.HasSuffix(body, "\x1e4welcome") {
		t.Errorf("the handshake has %q", body)
	}
}

// The first message is part of the handshake, whatever the queue may hold after it.
func TestInitialMessageOnATinyQueue(t *testing.T) {
	for _, limit := range []int{1, 200} {
		want := strings.Repeat("x", 150)
		config := Config{MaxQueuedBytes: limit, InitialMessage: &Message{Data: []byte(want)}}
		if body := string(visit(t, newTestServer(config), "GET", handshake4).Response.Body()); !strings.HasSuffix(body, "\x1e4"+want) {
			t.Errorf("MaxQueuedBytes %d: got %q", limit, body)
		}
		synctest.Test(t, func(t *testing.T) {
			_, c := openPipe(t, newTestServer(config), V4)
			c.expect(t, "1 4"+want)
			c.close()
		})
	}
}

func TestInitialMessageIsChecked(t *testing.T) {
	for _, c := range []struct {
		m    Message
		good bool
	}{
		{Message{Data: []byte("text")}, true},
		{Message{}, true},
		{Message{Data: []byte("\xff\x1e"), Binary: true}, true},
		{Message{Data: []byte("\xff")}, false},
		{Message{Data: []byte("a\x1eb")}, false},
	} {
		if p := panicOf(func() { newTestServer(Config{InitialMessage: &c.m}) }); (p == nil) != c.good {
			t.Errorf("%q, binary %v: New panics with %v", c.m.Data, c.m.Binary, p)
		}
	}
}

// panicOf is what f panics with.
func panicOf(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

func TestConfigIsACopy(t *testing.T) {
	srv := newTestServer(Config{Cookie: &Cookie{}, InitialMessage: &Message{Data: []byte("x")}})
	c := srv.Config()
	c.Cookie.Name, c.InitialMessage.Data[0], c.InitialMessage.Binary = "y", 'y', true
	if c = srv.Config(); c.Cookie.Name != "io" || string(c.InitialMessage.Data) != "x" || c.InitialMessage.Binary {
		t.Errorf("the server has the cookie %v and the message %v", c.Cookie, c.InitialMessage)
	}
}

func TestSetPingHasAnEnd(t *testing.T) {
	const day = 24 * time.Hour
	for _, c := range []struct {
		interval, timeout time.Duration
		good              bool
	}{
		{12 * day, 12 * day, true},
		{maxTime - time.Second, time.Second, true},
		{maxTime, time.Millisecond, false},
		{time.Millisecond, maxTime, false},
		{30 * day, time.Second, false},
		{time.Second, 30 * day, false},
		{1 << 62, 1 << 62, false}, // together they overflow
		{1<<63 - 1, 1<<63 - 1, false},
	} {
		s := newTestSession(t, newTestServer(Config{}), V4, Polling)
		if err := s.SetPing(c.interval, c.timeout); (err == nil) != c.good {
			t.Errorf("%v and %v: %v", c.interval, c.timeout, err)
		}
		s.CloseNow()
	}
}

// The handshake carries what OnConnect sends, volatile or not.
func TestVolatileInOnConnect(t *testing.T) {
	var err error
	srv := newTestServer(Config{OnConnect: func(s *Session) { err = s.Send(Message{Data: []byte("now")}, Volatile) }})
	if body := string(visit(t, srv, "GET", handshake4).Response.Body()); err != nil || !strings.HasSuffix(body, "\x1e4now") {
		t.Errorf("polling: %v, got %q", err, body)
	}
	synctest.Test(t, func(t *testing.T) {
		_, c := openPipe(t, newTestServer(srv.config), V4) // with the bubble's clock
		if err != nil {
			t.Errorf("WebSocket: %v", err)
		} else {
			c.expect(t, "1 4now")
		}
		c.close()
	})
}
