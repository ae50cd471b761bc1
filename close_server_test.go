package engineio_test

import (
	"sync"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

var closePacket = codec.Packet{Type: codec.Close}

// What was sent before Close arrives, and then the end.
func TestCloseDeliversWhatWasSent(t *testing.T) {
	const n = 200
	var want []codec.Packet
	for i := range n {
		want = append(want, numbered(i))
	}
	for name, end := range map[string]func(*engine, *engineio.Session){
		"Close": func(_ *engine, s *engineio.Session) { s.Close() },
		"Disconnect": func(e *engine, s *engineio.Session) {
			if !e.Disconnect(s.ID()) || e.Disconnect(s.ID()) {
				panic("Disconnect does not find the session once")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
				e := serve(t, on, engineio.Config{})
				check := e.bystander(t)
				c := e.connect(t, setup)
				s := e.session(t, c)
				sendAll(t, s, want)
				end(e, s)
				expect(t, c, want...)
				if w, ok := c.(*enginetest.WebSocket); ok {
					if code := w.CloseCode(); code != 1000 {
						t.Errorf("close code %d, want 1000", code)
					}
				} else {
					expect(t, c, closePacket)
				}
				if end := e.ended(t, engineio.ReasonServerClose); end.err != nil {
					t.Errorf("error %v", end.err)
				}
				check()
			})
		})
	}
}

func sendAll(t *testing.T, s *engineio.Session, packets []codec.Packet) {
	t.Helper()
	for _, p := range packets {
		err := error(nil)
		if p.Binary {
			err = s.SendBinary(p.Data)
		} else {
			err = s.SendText(string(p.Data))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestLastWordOfTheServer(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for _, revision := range enginetest.Revisions {
			for _, parked := range []bool{true, false} {
				for _, now := range []bool{true, false} {
					p := e.polling(t, enginetest.Setup{Revision: revision})
					s := e.session(t, p)
					if parked {
						startPoll(t, p)
					} else {
						sendAll(t, s, []codec.Packet{enginetest.Text("sent")})
					}
					want := []codec.Packet{closePacket}
					if now {
						s.CloseNow()
						e.ended(t, engineio.ReasonServerClose)
					} else {
						s.Close()
					}
					if !parked {
						startPoll(t, p)
						if !now {
							want = []codec.Packet{enginetest.Text("sent"), closePacket}
						}
					}
					lastWord(t, p, want...)
					if !now {
						e.ended(t, engineio.ReasonServerClose)
					}
				}
			}
		}
	})
}

// The last GET may not come: the session is forgotten then.
func TestLingerEnds(t *testing.T) {
	e := serve(t, onFasthttp, engineio.Config{})
	p := e.polling(t, enginetest.Setup{})
	e.session(t, p).CloseNow()
	e.ended(t, engineio.ReasonServerClose)
	eventually(t, "forgotten", func() bool {
		r, err := p.Post.Do("POST", p.URI(), []byte("6"))
		if err != nil {
			t.Fatal(err)
		}
		return r.Status == 400
	})
}

func TestCloseNowOnWebSocket(t *testing.T) {
	eachWebSocket(t, "CloseNow", engineio.V4, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		e.session(t, w).CloseNow()
		if code := w.CloseCode(); code != 1000 {
			t.Errorf("close code %d, want 1000", code)
		}
		e.ended(t, engineio.ReasonServerClose)
	})
}

// A client that does not take its last words is given CloseTimeout.
func TestCloseTimeout(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{CloseTimeout: 50 * time.Millisecond})
		c := e.connect(t, setup)
		e.session(t, c).Close()
		e.ended(t, engineio.ReasonServerClose)
		if w, ok := c.(*enginetest.WebSocket); ok { // the close frame is not answered, and the connection ends all the same
			b := make([]byte, 64)
			for {
				if _, err := w.Conn.NetConn().Read(b); err != nil {
					break
				}
			}
		}
		if e.Len() != 0 {
			t.Error("the session is still counted")
		}
	})
}

func TestCloseFromManyGoroutines(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{CloseTimeout: 100 * time.Millisecond})
		c := e.connect(t, setup)
		s := e.session(t, c)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				if i%2 == 0 {
					s.Close()
				} else {
					s.CloseNow()
				}
			})
		}
		wg.Wait()
		e.ended(t, engineio.ReasonServerClose)
	})
}

func TestCloseInCallbacks(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{OnMessage: func(s *engineio.Session, m engineio.Message) {
			_ = s.SendText("bye")
			s.Close()
			if err := s.SendText("late"); err == nil {
				t.Error("a send after Close succeeds")
			}
		}})
		c := e.connect(t, setup)
		if err := c.Send(enginetest.Text("one"), enginetest.Text("two")); err != nil {
			t.Fatal(err)
		}
		expect(t, c, enginetest.Text("bye"))
		if w, ok := c.(*enginetest.WebSocket); ok {
			if code := w.CloseCode(); code != 1000 {
				t.Errorf("close code %d, want 1000", code)
			}
		} else {
			expect(t, c, closePacket)
		}
		e.ended(t, engineio.ReasonServerClose)
	})
}

func TestCloseInOnConnect(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{OnConnect: func(s *engineio.Session) {
			_ = s.SendText("not today")
			s.Close()
		}})
		c := e.connect(t, setup)
		expect(t, c, enginetest.Text("not today"))
		e.ended(t, engineio.ReasonServerClose)
	})
}

func TestPanics(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{
			OnMessage: func(s *engineio.Session, m engineio.Message) {
				if string(m.Data) == "panic" {
					panic("in OnMessage")
				}
				echo(s, m)
			},
			OnDisconnect: func(*engineio.Session, *engineio.CloseError) { panic("in OnDisconnect") },
		})
		check := e.bystander(t)
		c := e.connect(t, setup)
		alive(t, c)
		if err := c.Send(enginetest.Text("panic"), enginetest.Text("never")); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the session is gone", func() bool { return e.Len() == 3 })
		if w, ok := c.(*enginetest.WebSocket); ok {
			if code := w.CloseCode(); code != 1011 {
				t.Errorf("close code %d, want 1011", code)
			}
		} else {
			expect(t, c, closePacket)
		}
		check()
	})
}

func TestPanicInOnConnect(t *testing.T) {
	eachHandshake(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{OnConnect: func(*engineio.Session) { panic("in OnConnect") }})
		c, err := enginetest.Dial(e.http, setup)
		if err == nil {
			t.Cleanup(c.Close)
		}
		e.ended(t, engineio.ReasonPanic)
	})
}
