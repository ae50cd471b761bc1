package engineio_test

import (
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// The heartbeat belongs to the session: a ping that is out during the upgrade may be answered after it, and
// a client that goes silent with the upgrade is found out.
func TestHeartbeatSurvivesUpgrade(t *testing.T) {
	eachStack(t, func(t *testing.T, on stack) {
		config := engineio.Config{PingInterval: 100 * time.Millisecond, PingTimeout: 3 * time.Second}
		e := serve(t, on, config)
		p := e.polling(t, enginetest.Setup{})
		packets, err := p.Poll() // a ping
		if err != nil || len(packets) != 1 || packets[0].Type != codec.Ping {
			t.Fatalf("%v, %v", packets, err)
		}
		w := upgrade(t, p)
		if err := w.Send(codec.Packet{Type: codec.Pong}); err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if packet, err := w.Receive(); err != nil || packet.Type != codec.Ping {
				t.Fatalf("%v, %v", packet, err)
			}
			if err := w.Send(codec.Packet{Type: codec.Pong}); err != nil {
				t.Fatal(err)
			}
		}
		if code := w.CloseCode(); code != 1001 { // silent from here on
			t.Errorf("close code %d, want 1001", code)
		}
		w.Close()
		e.ended(t, engineio.ReasonPingTimeout)

		old := e.polling(t, enginetest.Setup{Revision: engineio.V3})
		w = upgrade(t, old) // never pings
		if code := w.CloseCode(); code != 1001 {
			t.Errorf("revision 3: close code %d, want 1001", code)
		}
		w.Close()
		e.ended(t, engineio.ReasonPingTimeout)
	})
}

func TestHeartbeat(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		e := serve(t, on, engineio.Config{PingInterval: 50 * time.Millisecond, PingTimeout: enginetest.Patience})
		c := e.connect(t, setup)
		for range 3 {
			want := codec.Ping
			if setup.Revision == codec.V3 {
				want = codec.Pong
				if err := c.Send(codec.Packet{Type: codec.Ping}); err != nil {
					t.Fatal(err)
				}
			}
			if p, err := c.Receive(); err != nil || p.Type != want || len(p.Data) > 0 {
				t.Fatalf("%v, %v", p, err)
			}
			if setup.Revision == codec.V4 {
				if err := c.Send(codec.Packet{Type: codec.Pong}); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestPingTimeout(t *testing.T) {
	eachKind(t, func(t *testing.T, on stack, setup enginetest.Setup) {
		t.Parallel()
		e := serve(t, on, engineio.Config{PingInterval: 100 * time.Millisecond, PingTimeout: 3 * time.Second})
		c := e.connect(t, setup)
		e.ended(t, engineio.ReasonPingTimeout)
		if w, ok := c.(*enginetest.WebSocket); ok {
			if code := w.CloseCode(); code != 1001 {
				t.Errorf("close code %d, want 1001", code)
			}
			return
		}
		if r, err := e.http.HTTP().Do("GET", c.(*enginetest.Polling).URI(), nil); err != nil || string(r.Body) != unknownSession {
			t.Errorf("%+v, %v", r, err)
		}
	})
}
