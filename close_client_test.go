package engineio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

func TestClosePacketOfTheClient(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		c := e.connect(t, setup)
		if err := c.Send(enginetest.Text("last"), codec.Packet{Type: codec.Close}, enginetest.Text("ignored")); err != nil {
			t.Fatal(err)
		}
		if end := e.ended(t, engineio.ReasonClientClose); end.err != nil {
			t.Errorf("error %v", end.err)
		}
		if w, ok := c.(*enginetest.WebSocket); ok {
			if code := w.CloseCode(); code != 1000 {
				t.Errorf("close code %d, want 1000", code)
			}
		}
		check()
	})
}

// The poll of a client that has said goodbye comes home with a noop, if it is under way or comes soon.
func TestPollOfAClientThatCloses(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		for _, revision := range enginetest.Revisions {
			for _, parked := range []bool{true, false} {
				p := e.polling(t, enginetest.Setup{Revision: revision})
				if parked {
					startPoll(t, p)
				}
				if err := p.Send(codec.Packet{Type: codec.Close}); err != nil {
					t.Fatal(err)
				}
				e.ended(t, engineio.ReasonClientClose)
				if !parked {
					startPoll(t, p)
				}
				lastWord(t, p, codec.Packet{Type: codec.Noop})
			}
		}
	})
}

func startPoll(t *testing.T, p *enginetest.Polling) {
	t.Helper()
	if err := p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)); err != nil {
		t.Fatal(err)
	}
}

// lastWord reads the answer to a poll, which has the packets, and checks that the session is unknown after it.
func lastWord(t *testing.T, p *enginetest.Polling, want ...codec.Packet) {
	t.Helper()
	r, err := p.Get.Read("GET")
	if err != nil {
		t.Fatal(err)
	}
	packets, err := p.Packets(r)
	if err != nil {
		t.Fatal(err)
	}
	same := len(packets) == len(want)
	for i := 0; same && i < len(want); i++ {
		same = packets[i].Type == want[i].Type && string(packets[i].Data) == string(want[i].Data)
	}
	if !same {
		t.Errorf("last words %v, want %v", packets, want)
	}
	r, err = p.Get.Do("GET", p.URI(), nil)
	if err != nil || r.Status != 400 || string(r.Body) != unknownSession {
		t.Errorf("the poll after the last: %+v, %v", r, err)
	}
}

func TestCloseFrameOfTheClient(t *testing.T) {
	for name, payload := range map[string][]byte{
		"1000":        websocket.FormatCloseMessage(1000, ""),
		"going away":  websocket.FormatCloseMessage(1001, "bye"),
		"application": websocket.FormatCloseMessage(4321, "bye"),
		"no code":     {},
	} {
		eachWebSocket(t, name, engineio.V4, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
			if err := w.Send(enginetest.Text("before")); err != nil {
				t.Fatal(err)
			}
			if err := w.Conn.WriteControl(websocket.CloseMessage, payload, time.Time{}); err != nil {
				t.Fatal(err)
			}
			e.ended(t, engineio.ReasonClientClose)
			want := 1005
			if len(payload) > 0 {
				want = int(payload[0])<<8 | int(payload[1])
			}
			if code := w.CloseCode(); code != want {
				t.Errorf("the close frame is answered %d, want %d", code, want)
			}
		})
	}
}

func TestConnectionEndsWithoutGoodbye(t *testing.T) {
	for name, leave := range map[string]func(*enginetest.WebSocket){
		"FIN":        (*enginetest.WebSocket).Close,
		"RST":        (*enginetest.WebSocket).Reset,
		"half close": func(w *enginetest.WebSocket) { enginetest.HalfClose(w.Conn.NetConn()) },
		"in a frame": func(w *enginetest.WebSocket) {
			_, _ = w.Conn.NetConn().Write([]byte{0x81, 0xfe, 0xff}) // half a header
			w.Close()
		},
	} {
		eachWebSocket(t, name, engineio.V4, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
			leave(w)
			e.ended(t, engineio.ReasonTransportClose)
		})
	}
}

func TestBrokenFrames(t *testing.T) {
	for name, c := range map[string]struct {
		frame string
		code  int
	}{
		"no mask":       {"\x81\x01\x34", 1002},
		"reserved bits": {"\xf1\x80\x00\x00\x00\x00", 1002},
		"bad opcode":    {"\x83\x80\x00\x00\x00\x00", 1002},
		"bad UTF-8":     {"\x81\x82\x00\x00\x00\x004\xff", 1007},
		"continuation":  {"\x80\x80\x00\x00\x00\x00", 1002},
		"long ping":     {"\x89\xfe\x00\x80\x00\x00\x00\x00", 1002},
	} {
		eachWebSocket(t, name, engineio.V4, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
			if _, err := w.Conn.NetConn().Write([]byte(c.frame)); err != nil {
				t.Fatal(err)
			}
			if code := w.CloseCode(); code != c.code {
				t.Errorf("close code %d, want %d", code, c.code)
			}
			w.Close()
			if end := e.ended(t, engineio.ReasonTransportError); end.err == nil {
				t.Error("no error behind the reason")
			}
		})
	}
}

func TestWebSocketPingsAreAnswered(t *testing.T) {
	eachWebSocket(t, "ping", engineio.V4, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
		got := make(chan string, 1)
		w.Conn.SetPongHandler(func(data string) error {
			got <- data
			return nil
		})
		if err := w.Conn.WriteControl(websocket.PingMessage, []byte("there?"), time.Time{}); err != nil {
			t.Fatal(err)
		}
		alive(t, w)
		if data := <-got; data != "there?" {
			t.Errorf("pong %q", data)
		}
	})
}

// A session that has ended says so to everybody who asks, with its reason.
func TestSessionAfterItsEnd(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		c := e.connect(t, setup)
		s := e.session(t, c)
		before := s.Context()
		if err := c.Send(codec.Packet{Type: codec.Close}); err != nil {
			t.Fatal(err)
		}
		e.ended(t, engineio.ReasonClientClose)
		<-before.Done()
		var cause *engineio.CloseError
		if !errors.As(context.Cause(before), &cause) || cause.Reason != engineio.ReasonClientClose || !errors.Is(cause, engineio.ErrClosed) {
			t.Errorf("cause %v", context.Cause(before))
		}
		if !errors.As(context.Cause(s.Context()), &cause) || cause.Reason != engineio.ReasonClientClose {
			t.Errorf("cause of a late Context %v", context.Cause(s.Context()))
		}
		for name, err := range map[string]error{
			"SendText": s.SendText("late"), "SendBinary": s.SendBinary(nil), "SendPrepared": s.SendPrepared(engineio.PrepareText("late")),
		} {
			if !errors.Is(err, engineio.ErrClosed) {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, ok := e.Session(s.ID()); ok || e.Disconnect(s.ID()) {
			t.Error("the session is still to be found")
		}
		s.Close()
		s.CloseNow()
	})
}
