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
				go func() { // silent from here on, but it reads
					for range c.frames {
					}
				}()
				if d := untilEnd(t, s, ReasonPingTimeout); d > interval+2*timeout {
					t.Errorf("the silence after it ended the session after %v", d)
				}
				c.close()
			})
		})
	}
}

// A client that pings is answered, however full its queue.
func TestPongOfAFullQueue(t *testing.T) {
	s := openPolling(t, newTestServer(Config{MaxQueued: 100}), V3)
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
