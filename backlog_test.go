package engineio

import (
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// watched has the hooks write to a diary of all callbacks.
func watched(d *diary, act func(where string, s *Session)) Config {
	c := d.config(act)
	c.HighWaterBytes, c.LowWaterBytes = 1000, 200
	hook := func(where string) func(*Session) {
		return func(s *Session) {
			defer d.begin(where)()
			act(where, s)
		}
	}
	c.OnHighWater, c.OnLowWater = hook("high"), hook("low")
	return c
}

// quietly does nothing in a callback.
func quietly(string, *Session) {}

// wire is a text that takes n bytes of a queue.
func wire(n int) string {
	header := 2
	if n > 127 {
		header = 4
	}
	return strings.Repeat("w", n-header-1)
}

// marksOf is how often each hook has run.
func marksOf(d *diary) string { return fmt.Sprintf("%d high, %d low", d.times("high"), d.times("low")) }

// expectMarks waits until nothing goes on any more.
func expectMarks(t *testing.T, d *diary, when, want string) {
	t.Helper()
	synctest.Wait()
	if got := marksOf(d); got != want {
		t.Errorf("%s: %s, want %s", when, got, want)
	}
}

func TestWaterMarksOnPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{t: t}
		srv := newTestServer(watched(d, quietly))
		s := openPolling(t, srv, V4)
		send := func(n int) {
			t.Helper()
			if err := s.SendText(wire(n)); err != nil {
				t.Fatal(err)
			}
		}
		for round := range 3 {
			said := func(high, low int) string { return fmt.Sprintf("%d high, %d low", high, low) }
			send(600)
			send(400)
			expectMarks(t, d, "at HighWaterBytes", said(round, round))
			send(10)
			expectMarks(t, d, "above it", said(round+1, round))
			send(5000)
			expectMarks(t, d, "far above it", said(round+1, round))
			get(s)
			expectMarks(t, d, "when all was taken", said(round+1, round+1))
			send(900)
			get(s)
			expectMarks(t, d, "below HighWaterBytes", said(round+1, round+1))
		}
		shut(srv)
	})
}

// framesOf reads n frames.
func framesOf(t *testing.T, c net.Conn, n int) {
	t.Helper()
	for range n {
		if _, _, err := readFrame(c); err != nil {
			t.Fatal(err)
		}
	}
}

// The queue is low when a transport has written what it took, and nobody has filled it meanwhile.
func TestLowWaterOnWebSocket(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &diary{t: t}
		srv := newTestServer(watched(d, quietly))
		s, client, left := unread(t, srv, false)
		for i, step := range []struct {
			send, read int // bytes; frames
			want       string
		}{
			{5000, 0, "1 high, 0 low"}, // it is being written, but passed the queue
			{900, 0, "1 high, 0 low"},
			{200, 0, "1 high, 0 low"}, // 1,100 wait
			{0, 1, "1 high, 0 low"},   // and are being written
			{200, 0, "1 high, 0 low"},
			{0, 2, "1 high, 1 low"}, // exactly LowWaterBytes waits, and is being written
			{0, 1, "1 high, 1 low"},
			{600, 0, "1 high, 1 low"}, // being written
			{1001, 0, "2 high, 1 low"},
			{0, 1, "2 high, 1 low"},
			{201, 0, "2 high, 1 low"},
			{0, 1, "2 high, 1 low"}, // the queue is empty, what was in it is being written
			{0, 1, "2 high, 2 low"},
		} {
			if step.send > 0 {
				if err := s.SendText(wire(step.send)); err != nil {
					t.Fatal(err)
				}
			}
			framesOf(t, client, step.read)
			expectMarks(t, d, fmt.Sprint("step ", i), step.want)
		}
		shut(srv)
		_ = client.Close()
		<-left
	})
}

// allTold waits until the application knows all that is to be told, or nobody is about to tell it.
func allTold(s *Session) {
	for {
		s.out.mu.Lock()
		telling := s.out.watermark.running
		s.out.mu.Unlock()
		if !telling || s.over.Load() {
			return
		}
		time.Sleep(100 * time.Microsecond)
	}
}

// Who goes above the mark and back while nobody can be told has not been there.
func TestCrossingAndBack(t *testing.T) {
	for _, back := range []bool{true, false} {
		d := &diary{t: t}
		srv := newTestServer(watched(d, func(where string, s *Session) {
			if where != "message" {
				return
			}
			for range 4 {
				if err := s.SendText(wire(2000)); back || err != nil {
					get(s)
				}
			}
		}))
		s := openPolling(t, srv, V4)
		post(s, "4busy")
		allTold(s)
		want := map[bool]string{true: "0 high, 0 low", false: "1 high, 0 low"}[back]
		if got := marksOf(d); got != want {
			t.Errorf("back %v: %s, want %s", back, got, want)
		}
		if !back {
			get(s)
			allTold(s)
			if got := marksOf(d); got != "1 high, 1 low" {
				t.Errorf("when all is taken: %s", got)
			}
		}
		shut(srv)
		settled(t, srv)
	}
}

// The application is told of nothing before OnConnect, which may be late, and then at once.
func TestHighWaterWaitsForOnConnect(t *testing.T) {
	d := &diary{t: t}
	config := watched(d, quietly)
	config.InitialMessage = &Message{Data: []byte(wire(2000))}
	srv := newTestServer(config)
	s := newTestSession(t, srv, V4, Polling)
	for i := range srv.registry.shards {
		srv.registry.shards[i].mu.Lock() // connect waits in Server.add
	}
	connected := make(chan error)
	go func() { connected <- s.connect(s.poll) }()
	for queued := 0; queued == 0; time.Sleep(100 * time.Microsecond) {
		s.out.mu.Lock()
		queued = s.out.size
		if queued > 0 && s.out.watermark.running {
			t.Error("a hook is about to run")
		}
		s.out.mu.Unlock()
	}
	for i := range srv.registry.shards {
		srv.registry.shards[i].mu.Unlock()
	}
	if err := <-connected; err != nil {
		t.Fatal(err)
	}
	allTold(s)
	shut(srv)
	settled(t, srv)
	want := []string{"connect", "connect ends", "high", "high ends", "disconnect", "disconnect ends"}
	if !slices.Equal(d.lines, want) {
		t.Errorf("the callbacks ran as %v", d.lines)
	}
}

// A write that fails is no way down.
func TestFailedWriteIsNotLow(t *testing.T) {
	for _, failed := range []error{nil, net.ErrClosed} {
		synctest.Test(t, func(t *testing.T) {
			d := &diary{t: t}
			srv := newTestServer(watched(d, quietly))
			s := openPolling(t, srv, V4)
			_ = s.SendText(wire(2000))
			expectMarks(t, d, "above HighWaterBytes", "1 high, 0 low")
			taken, err := s.out.take(s.poll)
			queue, n := taken.first, taken.packets
			if err != nil {
				t.Fatal(err)
			}
			s.out.free(queue)
			s.out.finished(n, failed)
			want := map[bool]string{true: "1 high, 1 low", false: "1 high, 0 low"}[failed == nil]
			expectMarks(t, d, fmt.Sprint("after ", failed), want)
			shut(srv)
		})
	}
}

// Either hook may be left out.
func TestOneHookAlone(t *testing.T) {
	for _, c := range []struct{ high, low int }{{0, 0}, {1, 0}, {0, 1}} {
		synctest.Test(t, func(t *testing.T) {
			high, low := 0, 0
			config := Config{HighWaterBytes: 1000}
			if c.high > 0 {
				config.OnHighWater = func(*Session) { high++ }
			}
			if c.low > 0 {
				config.OnLowWater = func(*Session) { low++ }
			}
			srv := newTestServer(config)
			s := openPolling(t, srv, V4)
			if (s.out.watermark == nil) != (c.high+c.low == 0) {
				t.Errorf("%v: a backlog is kept: %v", c, s.out.watermark != nil)
			}
			for range 3 {
				_ = s.SendText(wire(2000))
				synctest.Wait()
				get(s)
				synctest.Wait()
			}
			if high != 3*c.high || low != 3*c.low {
				t.Errorf("%v: %d high, %d low", c, high, low)
			}
			shut(srv)
		})
	}
}

func TestPanicInAWaterMark(t *testing.T) {
	for _, where := range []string{"high", "low"} {
		synctest.Test(t, func(t *testing.T) {
			d := &diary{t: t}
			srv := newTestServer(watched(d, func(now string, _ *Session) {
				if now == where {
					panic("in " + where)
				}
			}))
			s := openPolling(t, srv, V4)
			_ = s.SendText(wire(2000))
			synctest.Wait()
			get(s)
			synctest.Wait()
			if r := reasonOf(t, s); r != ReasonPanic || d.times(where) != 1 || d.times("disconnect") != 1 {
				t.Errorf("%s: ended with %v, %d times", where, r, d.times(where))
			}
			settled(t, srv)
		})
	}
}

// Whatever goes on around them, the hooks alternate, begin with high, overlap nothing and come before the end.
func TestWaterMarksAlternate(t *testing.T) {
	for seed := range uint64(40) {
		random := rand.New(rand.NewPCG(seed, 2))
		d := &diary{t: t}
		srv := newTestServer(watched(d, func(string, *Session) { runtime.Gosched() }))
		s := openPolling(t, srv, V4)
		_ = s.SendText(wire(2000)) // once at least
		allTold(s)
		var posts sync.WaitGroup
		for range 200 {
			switch n := random.IntN(10); {
			case n < 5:
				_ = s.SendText(wire(5 + random.IntN(600)))
			case n < 7:
				s.out.mu.Lock()
				some := s.out.first != nil
				s.out.mu.Unlock()
				if some {
					get(s)
				}
			case n < 8:
				posts.Wait()
				posts.Go(func() { post(s, "4busy") })
			default:
				runtime.Gosched()
			}
		}
		s.CloseNow()
		posts.Wait()
		settled(t, srv)
		d.mu.Lock()
		marks := slices.DeleteFunc(slices.Clone(d.lines), func(line string) bool { return line != "high" && line != "low" })
		d.mu.Unlock()
		for i, line := range marks {
			if line != []string{"high", "low"}[i%2] {
				t.Fatalf("the hooks ran as %v", marks)
			}
		}
		if len(marks) == 0 {
			t.Errorf("seed %d: no hook ran", seed)
		}
	}
}

// Where several OnMessage run at once a hook runs beside them: one that waited for all would hold up the next.
func TestWaterMarksBesideConcurrentMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, told := make(chan struct{}), false
		var second atomic.Bool
		srv := newTestServer(Config{
			MaxConcurrentMessages: 2, HighWaterBytes: 10, OnHighWater: func(*Session) { told = true },
			OnMessage: func(s *Session, m Message) {
				if string(m.Data) == "second" {
					second.Store(true)
					return
				}
				_ = s.SendText("more than ten bytes")
				<-release
			},
		})
		s := openPolling(t, srv, V4)
		post(s, "4first")
		synctest.Wait()
		go post(s, "4second")
		synctest.Wait()
		if !told || !second.Load() {
			t.Errorf("beside an OnMessage that runs: told %v, the next message came %v", told, second.Load())
		}
		close(release)
		s.CloseNow()
		settled(t, srv)
	})
}
