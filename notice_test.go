package engineio

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/valyala/fasthttp"
)

// logged is a Server that keeps its log.
func logged(c Config) (*Server, *logbook) {
	book := new(logbook)
	c.Logger = slog.New(book)
	return New(c), book
}

// A page of another origin is named in the log, with the field that lets it in.
func TestRefusedOriginIsNamed(t *testing.T) {
	srv, book := logged(Config{})
	visit(t, srv, "GET", handshake4, "Origin: http://localhost:5173")
	if n := book.count(`WARN engineio: refused origin "http://localhost:5173": list it in Config.AllowedOrigins host=example.com`); n != 1 {
		t.Errorf("logged %q", book.lines)
	}
	visit(t, srv, "GET", handshake3+"&j=0", "Referer: http://localhost:5173/page")
	if n := book.count(`WARN engineio: refused JSONP`); n != 1 {
		t.Errorf("logged %q", book.lines)
	}
}

// What a stranger sends fills no log, and puts no line of its own into it.
func TestNoticesAreBounded(t *testing.T) {
	srv, book := logged(Config{})
	var n notices
	for i := range 1000 {
		if _, ok := n.due(noticeOrigin, time.Second+time.Duration(i)); ok != (i == 0) {
			t.Fatalf("number %d is written: %v", i, ok)
		}
	}
	if missed, ok := n.due(noticeOrigin, time.Second+noticeTime); !ok || missed != 999 {
		t.Errorf("after a minute %v, %d were missed", ok, missed)
	}
	if _, ok := n.due(noticeRate, time.Second); !ok {
		t.Error("another kind is held back")
	}
	for range 1000 {
		visit(t, srv, "GET", handshake4, "Origin: http://evil\x1b[31m\"\u2028"+strings.Repeat("x", 10_000))
	}
	if book.count("WARN") != 1 {
		t.Errorf("logged %d times", book.count("WARN"))
	}
	for _, line := range book.lines {
		if strings.ContainsAny(line, "\x1b\u2028\n") && strings.HasPrefix(line, "WARN") || len(line) > 1500 {
			t.Errorf("logged %.300q, %d bytes", line, len(line))
		}
	}
}

// Limits that are reached say which, and what to do.
func TestLimitsReachedAreNamed(t *testing.T) {
	for field, c := range map[string]Config{
		"Config.MaxSessions:":           {MaxSessions: 1},
		"Config.MaxSessionsPerIP ":      {MaxSessionsPerIP: 1},
		"Config.MaxHandshakeRate ":      {MaxHandshakeRate: 1},
		"Config.MaxHandshakeRatePerIP ": {MaxHandshakeRatePerIP: 1},
	} {
		srv, book := logged(c)
		for range 3 {
			visit(t, srv, "GET", handshake4)
		}
		if book.count("WARN") != 1 || book.count(field) != 1 {
			t.Errorf("%s: logged %q", field, book.lines)
		}
	}
	srv, book := logged(Config{MaxPayload: 3})
	s := openPolling(t, srv, V4)
	post(s, "4four")
	if book.count("WARN") != 1 || book.count("Config.MaxPayload") != 1 {
		t.Errorf("logged %q", book.lines)
	}
	s.terminate(ReasonTooBig, errTooMany) // the same kind
	if book.count("WARN") != 1 {
		t.Errorf("logged %q", book.lines)
	}
	shut(srv)
}

// A refusal at Debug says what was asked for, by whom.
func TestRefusalsAreLogged(t *testing.T) {
	srv, book := logged(Config{})
	visit(t, srv, "GET", "EIO=4&transport=polling&sid=gone")
	for _, part := range []string{"DEBUG engineio: request refused", "status=400", "code=1", "path=/engine.io/", "sid=gone", "transport=polling", "remote=0.0.0.0:0", "method=GET"} {
		if book.count(part) != 1 {
			t.Errorf("%q is not in %q", part, book.lines)
		}
	}
}

// An application's error may be of a type that cannot be compared.
func TestRefusalWithAnErrorThatIsNotComparable(t *testing.T) {
	srv, book := logged(Config{OnHandshake: func(*Session, *fasthttp.RequestCtx) error { return errorList{"a", "b"} }})
	if ctx := visit(t, srv, "GET", handshake4); ctx.Response.StatusCode() != 403 || book.count("request refused") != 1 {
		t.Errorf("answered %d, logged %q", ctx.Response.StatusCode(), book.lines)
	}
}

type errorList []string

func (e errorList) Error() string { return strings.Join(e, ", ") }

// Only a session that has opened is told to have closed.
func TestLogOfASession(t *testing.T) {
	srv, book := logged(Config{OnHandshake: func(*Session, *fasthttp.RequestCtx) error { return errors.New("no") }})
	visit(t, srv, "GET", handshake4)
	if book.count("session") != 0 {
		t.Errorf("logged %q", book.lines)
	}
	srv, book = logged(Config{})
	live(t, srv)
	settled(t, srv)
	for _, what := range []string{"session opened sid=", "session upgraded sid=", "session closed sid="} {
		if book.count("DEBUG engineio: "+what) != 1 {
			t.Errorf("%q is not in %q", what, book.lines)
		}
	}
}

// Who sends too early is told when, and by which error.
func TestSendInHandshake(t *testing.T) {
	var sent error
	srv, _ := logged(Config{OnHandshake: func(s *Session, _ *fasthttp.RequestCtx) error { sent = s.SendText("early"); return nil }})
	visit(t, srv, "GET", handshake4)
	if !errors.Is(sent, ErrNotOpen) || errors.Is(sent, ErrClosed) {
		t.Errorf("sent: %v", sent)
	}
}

// An OnMessage that does not return is found by the heartbeat.
func TestBlockingCallbackIsNamed(t *testing.T) {
	for name, c := range map[string]struct {
		blocks time.Duration
		lines  int
	}{
		"for a minute": {time.Minute, 1}, "not at all": {0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv, book := logged(Config{OnMessage: func(*Session, Message) { time.Sleep(c.blocks) }})
				s, _ := openRecorded(t, srv, V4)
				go s.receive(text("work"), nil)
				time.Sleep(40 * time.Second)
				synctest.Wait()
				if n := book.count("WARN engineio: OnMessage has not returned for 3s"); n != c.lines || book.count("WARN") != c.lines {
					t.Errorf("logged %q", book.lines)
				}
				time.Sleep(time.Minute)
				s.CloseNow()
				synctest.Wait()
			})
		})
	}
}

// One that is busy with many short messages, or waits for a slow client, does not block.
func TestBusyCallbackIsNotNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, book := logged(Config{PingInterval: time.Second, PingTimeout: time.Second, OnMessage: func(*Session, Message) { time.Sleep(time.Second) }})
		s := openPolling(t, srv, V4)
		s.Send(Message{Data: []byte("not fetched")}, 0)
		s.receive(text("waits for Flush, as far as one can see"), nil)
		_, _ = get(s)
		for range 20 {
			s.out.cork() // a batch
			s.receive(text("short"), nil)
			s.uncork()
			s.heartbeat(3) // the pong
		}
		if book.count("WARN") != 0 {
			t.Errorf("logged %q", book.lines)
		}
		s.CloseNow()
		synctest.Wait()
		time.Sleep(lingerTime)
	})
}

// Shutdown says in its error what it waits for.
func TestShutdownNamesWhatIsLeft(t *testing.T) {
	gate, entered := make(chan struct{}), make(chan struct{}, 3)
	wait := func() { entered <- struct{}{}; <-gate }
	srv, _ := logged(Config{
		OnMessage:    func(*Session, Message) { wait() },
		OnDisconnect: func(*Session, *CloseError) { wait() },
	})
	for range 2 {
		s, _ := openRecorded(t, srv, V4)
		go s.receive(text("work"), nil)
	}
	leaving, _ := openRecorded(t, srv, V4)
	leaving.CloseNow()
	_ = srv.Go(func(context.Context) { <-gate })
	for range 3 {
		<-entered
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := srv.Shutdown(ctx)
	for _, part := range []string{"2 sessions in OnMessage", "1 session in OnDisconnect", "1 task of Go"} {
		if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), part) {
			t.Errorf("%q is not in %v", part, err)
		}
	}
	go func() { // the two that were in OnMessage tell their end as well
		for range 2 {
			<-entered
		}
	}()
	close(gate)
	if err := srv.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

// The log says it when that takes long, as for ever in a callback of its own.
func TestLongShutdownIsLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv, book := logged(Config{})
		_ = srv.Go(func(context.Context) { time.Sleep(150 * time.Second) })
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if n := book.count("WARN engineio: Shutdown still waits for 1 task of Go (in a callback"); n != 3 || book.count("WARN") != 3 {
			t.Errorf("logged %q", book.lines)
		}
	})
}

// A handshake under way is waited for too.
func TestShutdownNamesHandshakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, done := make(chan struct{}), make(chan struct{})
		srv, _ := logged(Config{OnHandshake: func(*Session, *fasthttp.RequestCtx) error { <-gate; return nil }})
		go func() {
			defer close(done)
			incomingTo(srv, handshake4)
		}()
		synctest.Wait()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := srv.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 handshake in OnHandshake") {
			t.Error(err)
		}
		close(gate)
		<-done
		shut(srv)
		synctest.Wait()
	})
}

// Nothing of the notices is paid for by a refusal that is not logged.
func TestQuietRefusalAllocs(t *testing.T) {
	srv := newTestServer(Config{})
	e := refuse(CodeUnknownSession, errSession)
	ctx := incoming("GET", "EIO=4&transport=polling&sid=gone")
	if n := testing.AllocsPerRun(100, func() { srv.reportRefusal(ctx, e) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}
