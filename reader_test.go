package engineio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// The reply to one message takes the client 100 s to read, and its pong is read meanwhile.
func TestReplyDoesNotHoldTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reply := strings.Repeat("x", 100*4<<10)
		srv := newTestServer(Config{OnMessage: func(s *Session, _ Message) { _ = s.SendText(reply) }})
		s := newTestSession(t, srv, V4, WebSocket)
		c := slowly(t, s)
		c.expect(t, "1 2")
		c.send("4give")
		go c.send("3") // at once
		c.expect(t, "1 4"+reply)
		if synctest.Wait(); s.over.Load() {
			t.Errorf("ended with %v, though the client sent its pong at once and never stopped reading", reasonOf(t, s))
		}
		s.CloseNow()
		c.close()
		time.Sleep(time.Hour)
	})
}

// A stream that never pauses, to a client that is a little too slow for it, does not keep its messages from being read.
func TestStreamDoesNotHoldTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		second := make(chan bool, 1)
		srv := newTestServer(Config{OnMessage: func(s *Session, m Message) {
			if string(m.Data) == "second" {
				second <- true
				return
			}
			_ = s.SendText("subscribed")
			go func() { // 4.1 KB a second, and the client reads 4
				for s.SendText(strings.Repeat("x", 1400)) == nil {
					time.Sleep(time.Second / 3)
				}
			}()
		}})
		s := newTestSession(t, srv, V4, WebSocket)
		c := slowly(t, s)
		go func() {
			for range c.frames {
			}
		}()
		c.send("4start")
		time.Sleep(5 * time.Second)
		go c.send("4second")
		select {
		case <-second:
		case <-time.After(10 * time.Second):
			t.Error("the second message was not read within 10 s")
		}
		s.CloseNow()
		c.close()
		time.Sleep(time.Hour)
	})
}

// A callback that takes longer than PingTimeout is no silence of the client, whose pong is behind its message.
func TestLongCallbackIsNoPingTimeout(t *testing.T) {
	for name, work := range map[string]time.Duration{"one": 3 * (interval + timeout), "ends before the timer": interval + timeout - time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				srv := newTestServer(Config{OnMessage: func(*Session, Message) { time.Sleep(work) }})
				s, c := openPipe(t, srv, V4)
				c.send("4work")
				go c.send("3")
				time.Sleep(work + time.Second)
				if synctest.Wait(); s.over.Load() {
					t.Fatalf("ended with %v", reasonOf(t, s))
				}
				go c.rest() // silent from here on, but it reads
				if d := untilEnd(t, s, ReasonPingTimeout); d > interval+2*timeout {
					t.Errorf("the silence after it ended the session after %v", d)
				}
				c.close()
			})
		})
	}
}

// A client goes by our pings: while a callback keeps its pong from being read it gets others. They tell us too
// when it has gone.
func TestPingsBehindALongCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{OnMessage: func(s *Session, _ Message) { <-s.Context().Done() }})
		s, c := openPipe(t, srv, V4)
		c.send("4until the end")
		for range 20 {
			since := time.Now()
			c.expect(t, "1 2")
			if d := time.Since(since); d > interval+timeout {
				t.Fatalf("%v between two pings: the client has given up", d)
			}
		}
		_ = c.conn.Close()
		if d := untilEnd(t, s, ReasonTransportClose); d > timeout {
			t.Errorf("that the client has gone is noticed after %v", d)
		}
		c.close()
		c.rest()
	})
}

// With MaxConcurrentMessages a callback that runs is no excuse: the client can be heard.
func TestConcurrentCallbackAndADeadClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := newTestServer(Config{MaxConcurrentMessages: 2, OnMessage: func(s *Session, _ Message) { <-s.Context().Done() }})
		s, r := openRecorded(t, srv, V4)
		s.receive(text("until the end"), nil)
		nextPing(t, r)
		if d := untilEnd(t, s, ReasonPingTimeout); d > timeout {
			t.Errorf("a dead client is noticed after %v", d)
		}
	})
}

// When as many callbacks run as may, nothing more is read.
func TestConcurrentCallbacksThatHoldTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const work = 3 * (interval + timeout)
		srv := newTestServer(Config{MaxConcurrentMessages: 2, OnMessage: func(_ *Session, m Message) {
			if string(m.Data) == "work" {
				time.Sleep(work)
			}
		}})
		s, c := openPipe(t, srv, V4)
		go c.rest()
		for _, packet := range []string{"4work", "4work", "4 waits for one of them"} {
			c.send(packet)
		}
		go c.send("3")
		time.Sleep(work + time.Second)
		if synctest.Wait(); s.isClosed() {
			t.Errorf("ended with %v", reasonOf(t, s))
		}
		s.CloseNow()
		c.close()
	})
}

// A client whose pong has to wait for the answer to its POST.
func TestLongPost(t *testing.T) {
	for _, more := range []time.Duration{-10 * time.Millisecond, 10 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			srv := newTestServer(Config{OnMessage: func(*Session, Message) { time.Sleep(timeout + more) }})
			s := openPolling(t, srv, V4)
			if _, body := get(s); body != "2" {
				t.Fatal(body)
			}
			post(s, "4work")
			time.Sleep(50 * time.Millisecond) // a round trip
			if status, _ := post(s, "3"); status != 200 || s.isClosed() {
				t.Errorf("%v beyond PingTimeout: the pong is answered %d, the session closed: %v", more, status, s.isClosed())
			}
			s.CloseNow()
		})
	}
}

// A client that pings is answered, however full its queue.
func TestPongOfAFullQueue(t *testing.T) {
	s := openPolling(t, newTestServer(Config{MaxQueuedBytes: 100}), V3)
	for range 10 {
		if err := s.SendText("1234567"); err != nil { // 10 bytes each
			t.Fatal(err)
		}
	}
	post(s, "1:2")
	if _, body := get(s); !strings.HasSuffix(body, "1:3") {
		t.Errorf("no pong: %q", body)
	}
	s.CloseNow()
}
