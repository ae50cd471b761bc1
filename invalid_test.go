package engineio_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// Every packet before the first that is none is delivered.
func TestInvalidPackets(t *testing.T) {
	bodies := map[string]struct {
		revision engineio.Revision
		body     string
		messages int
	}{
		"garbage":                {engineio.V4, "abc", 0},
		"nothing":                {engineio.V4, "", 0},
		"final separator":        {engineio.V4, "4one\x1e", 1},
		"bad type in the middle": {engineio.V4, "4one\x1e4two\x1e9\x1e4three", 2},
		"bad base64":             {engineio.V4, "4one\x1eb***", 1},
		"bad UTF-8":              {engineio.V4, "4one\x1e4\xff\x1e4two", 1},
		"garbage, 3":             {engineio.V3, "abc", 0},
		"nothing, 3":             {engineio.V3, "", 0},
		"too long, 3":            {engineio.V3, "4:4one99:4two", 1},
		"huge length, 3":         {engineio.V3, "4:4one" + strings.Repeat("9", 400) + ":4", 1},
		"negative length, 3":     {engineio.V3, "-1:4", 0},
	}
	eachStack(t, func(t *testing.T, on stack) {
		got := make(chan string, 16)
		e := serve(t, on, engineio.Config{OnMessage: func(_ *engineio.Session, m engineio.Message) { got <- string(m.Data) }})
		for name, c := range bodies {
			p := e.polling(t, enginetest.Setup{Revision: c.revision})
			if err := p.Get.Write(enginetest.Request("GET", p.URI(), "localhost", nil)); err != nil {
				t.Fatal(err)
			}
			r, err := p.Post.Do("POST", p.URI(), []byte(c.body))
			if err != nil || r.Status != 200 || string(r.Body) != "ok" {
				t.Fatalf("%s: %+v, %v", name, r, err)
			}
			end := e.ended(t, engineio.ReasonParseError)
			if end.s.ID() != p.Handshake().SID || end.err == nil {
				t.Errorf("%s: ended %+v", name, end)
			}
			for range c.messages {
				<-got
			}
			if len(got) > 0 {
				t.Errorf("%s: %q is delivered", name, <-got)
			}
			goneAfterWord(t, p, name)
		}
	})
}

// goneAfterWord checks that a GET under way is answered with the close packet (or came too late for it), and that the
// session is unknown then.
func goneAfterWord(t *testing.T, p *enginetest.Polling, name string) {
	t.Helper()
	r, err := p.Get.Read("GET")
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if body := string(r.Body); body != "1" && body != "1:1" && body != unknownSession {
		t.Errorf("%s: the poll is answered %d %q", name, r.Status, body)
	}
	r, err = p.Get.Do("GET", p.URI(), nil)
	if err != nil || r.Status != 400 || string(r.Body) != unknownSession {
		t.Errorf("%s: afterwards %+v, %v", name, r, err)
	}
}

func TestInvalidWebSocketMessages(t *testing.T) {
	for name, c := range map[string]struct {
		revision engineio.Revision
		text     string
	}{
		"garbage":  {4, "abc"},
		"nothing":  {4, ""},
		"base64":   {4, "b***"},
		"type 7":   {4, "7"},
		"base64 3": {3, "b5AAAA"},
	} {
		eachWebSocket(t, name, c.revision, func(t *testing.T, e *engine, w *enginetest.WebSocket) {
			if err := w.Conn.WriteMessage(1, []byte(c.text)); err != nil {
				t.Fatal(err)
			}
			if code := w.CloseCode(); code != 1002 {
				t.Errorf("close code %d, want 1002", code)
			}
			e.ended(t, engineio.ReasonParseError)
		})
	}
}

func TestPingInTheWrongDirection(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		c := e.connect(t, setup)
		wrong := codec.Ping
		if setup.Revision == engineio.V3 {
			wrong = codec.Pong
		}
		if err := c.Send(codec.Packet{Type: wrong}); err != nil {
			t.Fatal(err)
		}
		e.ended(t, engineio.ReasonTransportError)
		if w, ok := c.(*enginetest.WebSocket); ok {
			if code := w.CloseCode(); code != 1002 {
				t.Errorf("close code %d, want 1002", code)
			}
		}
		check()
	})
}

func TestPacketsThatMeanNothing(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{})
		c := e.connect(t, setup)
		for _, kind := range []codec.Type{codec.Open, codec.Upgrade, codec.Noop} {
			if err := c.Send(codec.Packet{Type: kind, Data: []byte("x")}); err != nil {
				t.Fatal(err)
			}
		}
		alive(t, c)
	})
}

func TestBinaryBodyInRevision4(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		e := serve(t, on, engineio.Config{})
		check := e.bystander(t)
		p := e.polling(t, enginetest.Setup{})
		r, err := p.Post.Do("POST", p.URI(), []byte("4hello"), "Content-Type: application/octet-stream")
		if err != nil || r.Status != 400 || len(r.Body) != 0 {
			t.Errorf("%+v, %v", r, err)
		}
		e.ended(t, engineio.ReasonTransportError)
		check()
	})
}

// Other content types are text.
func TestContentTypesOfText(t *testing.T) {
	e := serve(t, onFasthttp, engineio.Config{})
	p := e.polling(t, enginetest.Setup{})
	for i, kind := range []string{"text/plain", "application/json", "application/x-www-form-urlencoded", "nonsense"} {
		m := fmt.Sprintf("%d=%s", i, kind)
		r, err := p.Post.Do("POST", p.URI(), []byte("4"+m), "Content-Type: "+kind)
		if err != nil || r.Status != 200 {
			t.Fatalf("%s: %+v, %v", kind, r, err)
		}
		expect(t, p, enginetest.Text(m))
	}
}
