package engineio

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

const several = 3 // OnMessage at once

// A crowd is OnMessage of one session, several at once. Each waits for a word before it returns.
type crowd struct {
	t     testing.TB
	gate  chan struct{} // a word lets one go
	began chan string   // what came
	act   func(s *Session, m Message)

	mu           sync.Mutex
	running      int
	most         int
	disconnected int
}

func newCrowd(t testing.TB) *crowd {
	return &crowd{t: t, gate: make(chan struct{}), began: make(chan string, 1000), act: func(*Session, Message) {}}
}

func (c *crowd) config() Config {
	return Config{MaxConcurrentMessages: several, OnMessage: c.message, OnDisconnect: c.disconnect}
}

func (c *crowd) message(s *Session, m Message) {
	c.mu.Lock()
	c.running++
	c.most = max(c.most, c.running)
	if c.disconnected > 0 {
		c.t.Errorf("%s begins after OnDisconnect", m.Data)
	}
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.running--
		c.mu.Unlock()
	}()
	c.began <- string(m.Data)
	<-c.gate
	c.act(s, m)
}

func (c *crowd) disconnect(*Session, *CloseError) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.disconnected++
	if c.running > 0 {
		c.t.Errorf("OnDisconnect runs beside %d OnMessage", c.running)
	}
}

// open is a session of the crowd with n OnMessage at work.
func (c *crowd) open(srv *Server, n int) *Session {
	c.t.Helper()
	s, _ := openRecorded(c.t, srv, V4)
	for i := range n {
		s.receive(text(fmt.Sprint(i)), nil)
	}
	for range n {
		<-c.began
	}
	return s
}

// letLateOnesRun gives goroutines that should not be there a chance to show up.
func letLateOnesRun() {
	for range 100 {
		runtime.Gosched()
	}
}

func TestConcurrentHandlersAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		s := c.open(newTestServer(c.config()), 0)
		const n = 10
		read := 0
		go func() {
			for ; read < n; read++ {
				s.receive(text(fmt.Sprint(read)), nil)
			}
		}()
		var got []string
		for done := range n {
			synctest.Wait()
			begun, want := len(got)+len(c.began), min(done+several, n)
			if begun != want || read != want { // the next one waits for a place, and the reader with it
				t.Fatalf("with %d through, %d were read and %d have begun, want %d", done, read, begun, want)
			}
			for range len(c.began) {
				got = append(got, <-c.began)
			}
			c.gate <- struct{}{}
		}
		synctest.Wait()
		slices.Sort(got)
		if c.most != several || len(got) != n || len(slices.Compact(got)) != n || c.running != 0 {
			t.Errorf("%d ran at once, want %d; %d came of %d", c.most, several, len(got), n)
		}
		s.CloseNow()
	})
}

// One at a time is the default, in order and on the goroutine of who reads.
func TestOneHandler(t *testing.T) {
	for _, n := range []int{0, 1} {
		got := ""
		srv := newTestServer(Config{MaxConcurrentMessages: n, OnMessage: func(_ *Session, m Message) { got += string(m.Data) }})
		s, _ := openRecorded(t, srv, V4)
		for i := range 10 {
			s.receive(text(fmt.Sprint(i)), nil)
		}
		if got != "0123456789" {
			t.Errorf("MaxConcurrentMessages %d: got %q", n, got)
		}
		s.CloseNow()
	}
}

// The reader's buffer is used again while they run.
func TestConcurrentHandlersHaveACopy(t *testing.T) {
	c := newCrowd(t)
	var mu sync.Mutex
	var got [][]byte
	c.act = func(_ *Session, m Message) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, m.Data)
	}
	srv := newTestServer(c.config())
	s := c.open(srv, 0)
	buffer := []byte("0")
	for i := range byte(several) {
		buffer[0] = 'a' + i
		s.receive(blob(buffer), nil)
	}
	clear(buffer)
	for range several {
		<-c.began
	}
	close(c.gate)
	s.CloseNow()
	settled(t, srv)
	slices.SortFunc(got, bytes.Compare)
	if all := string(bytes.Join(got, nil)); all != "abc" {
		t.Errorf("got %q", all)
	}
}

// OnDisconnect follows the last of them, and none follows it.
func TestConcurrentHandlersBeforeOnDisconnect(t *testing.T) {
	c := newCrowd(t)
	srv := newTestServer(c.config())
	s := c.open(srv, several)
	s.CloseNow()
	if s.callbackMu.TryLock() {
		t.Fatal("the turn is free while OnMessage runs")
	}
	for range several {
		letLateOnesRun()
		c.gate <- struct{}{}
	}
	settled(t, srv)
	if c.disconnected != 1 {
		t.Errorf("OnDisconnect ran %d times", c.disconnected)
	}
	s.receive(text("late"), nil)
	letLateOnesRun()
	if len(c.began) > 0 {
		t.Error("a message is delivered after OnDisconnect")
	}
}

// A panic ends the session, and no other OnMessage.
func TestPanicInAConcurrentHandler(t *testing.T) {
	var book logbook
	c := newCrowd(t)
	c.act = func(_ *Session, m Message) {
		if string(m.Data) == "0" {
			panic("oops")
		}
	}
	config := c.config()
	config.Logger = slog.New(&book)
	srv := newTestServer(config)
	s := c.open(srv, several)
	close(c.gate)
	<-s.Context().Done()
	settled(t, srv)
	if r := reasonOf(t, s); r != ReasonPanic || c.running != 0 || c.disconnected != 1 {
		t.Errorf("ended with %v, %d left, OnDisconnect ran %d times", r, c.running, c.disconnected)
	}
	if n := book.count("ERROR engineio: panic"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	for range several { // whoever has ended has given its place back
		s.slots <- struct{}{}
	}
}

// Whoever ends the session from inside does not wait for himself, nor for his neighbours.
func TestEndInsideAConcurrentHandler(t *testing.T) {
	for name, end := range map[string]func(s *Session){
		"Close":      (*Session).Close,
		"CloseNow":   (*Session).CloseNow,
		"Disconnect": func(s *Session) { s.srv.Disconnect(s.ID()) },
	} {
		t.Run(name, func(t *testing.T) {
			c := newCrowd(t)
			c.act = func(s *Session, _ Message) { end(s) }
			srv := newTestServer(c.config())
			s := c.open(srv, several)
			c.gate <- struct{}{}
			<-s.Context().Done()
			if len(c.began) > 0 || c.disconnected > 0 {
				t.Error("OnDisconnect runs beside OnMessage")
			}
			close(c.gate)
			settled(t, srv)
			if r := reasonOf(t, s); r != ReasonServerClose || c.disconnected != 1 {
				t.Errorf("ended with %v, OnDisconnect ran %d times", r, c.disconnected)
			}
		})
	}
}

// OnConnect has the turn to itself. OnUpgrade runs beside OnMessage, which may wait for what comes by the WebSocket.
func TestConcurrentHandlersAndOtherCallbacks(t *testing.T) {
	c := newCrowd(t)
	config := c.config()
	alone := func(*Session) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.running > 0 {
			t.Errorf("another callback runs beside %d OnMessage", c.running)
		}
	}
	config.OnConnect = alone
	upgrades := 0
	config.OnUpgrade = func(*Session) { upgrades++ }
	srv := newTestServer(config)
	s := c.open(srv, several)
	s.runOnUpgrade()
	if upgrades != 1 {
		t.Errorf("OnUpgrade ran %d times beside OnMessage", upgrades)
	}
	close(c.gate)
	s.CloseNow()
	settled(t, srv)
}

// An OnMessage that waits for what another brings gets it, though the session is upgraded in between.
func TestUpgradeBetweenQuestionAndAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		answer := make(chan struct{}, 1)
		srv := newTestServer(Config{
			MaxConcurrentMessages: several,
			OnUpgrade:             func(*Session) {},
			OnMessage: func(s *Session, m Message) {
				if string(m.Data) == "answer" {
					answer <- struct{}{}
					return
				}
				select {
				case <-answer:
					_ = s.SendText("answered")
				case <-s.Context().Done():
				}
			},
		})
		s := openPolling(t, srv, V4)
		post(s, "4question")
		c := probing(t, s)
		c.upgrade(t)
		c.send("4answer")
		c.expect(t, "1 4answered")
		c.close()
		shut(srv)
	})
}

// The answers of OnMessage that run beside each other all arrive.
func TestConcurrentEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxConcurrentMessages: several, OnMessage: func(s *Session, m Message) { _ = s.Send(m, 0) }})
		_, c := openPipe(t, srv, V4)
		var got, want []string
		for i := range 100 {
			c.send(fmt.Sprint("4", i))
			want = append(want, fmt.Sprint("1 4", i))
		}
		for range want {
			got = append(got, c.next(t))
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %q", got)
		}
		c.close()
	})
}

// Handlers that leave together, one of which has ended the session, do not miss the end between them.
func TestHandlersLeaveTogether(t *testing.T) {
	const handlers = 8
	for range 100_000 { // one in 50 000 meets so on two cores
		var told atomic.Int64
		gate := make(chan struct{})
		srv := newTestServer(Config{
			MaxConcurrentMessages: handlers,
			OnMessage:             func(s *Session, _ Message) { <-gate; s.CloseNow() },
			OnDisconnect:          func(*Session, *CloseError) { told.Add(1) },
		})
		s := newTestSession(t, srv, V4, WebSocket)
		s.connect(&recorder{s: s, start: time.Now()})
		for range handlers {
			s.receive(text("x"), nil)
		}
		close(gate)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		err := srv.Shutdown(ctx)
		cancel()
		if err != nil || told.Load() != 1 {
			t.Fatalf("OnDisconnect ran %d times, Shutdown: %v", told.Load(), err)
		}
	}
}

// A goodbye right behind messages does not overtake them.
func TestGoodbyeBehindConcurrentMessages(t *testing.T) {
	for range 100 {
		synctest.Test(t, func(t *testing.T) {
			var got atomic.Int32
			srv := newTestServer(Config{MaxConcurrentMessages: several, OnMessage: func(*Session, Message) { got.Add(1) }})
			s := openPolling(t, srv, V4)
			post(s, "4a\x1e4b\x1e4c\x1e1")
			settled(t, srv)
			if n := got.Load(); n != 3 {
				t.Fatalf("%d of 3 messages were delivered", n)
			}
		})
	}
}
