package enginetest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"testing"

	"github.com/fasteio/engineio/codec"
)

// Way is how a client's packets travel.
type Way string

// The ways there are.
const (
	ByPolling   Way = "polling"
	ByWebSocket Way = "websocket"
	ByUpgrade   Way = "upgraded" // from the first to the second
)

// Ways and Revisions are what behaviour tests run over.
var (
	Ways      = []Way{ByPolling, ByWebSocket, ByUpgrade}
	Revisions = []codec.Revision{codec.V4, codec.V3}
)

// Setup says what a client connects as. The zero value polls with revision 4.
type Setup struct {
	Way      Way            // default: ByPolling
	Revision codec.Revision // default: V4
	Path     string         // default: /engine.io/
	Query    string         // added to every request, without "&"
	Header   []string       // "Name: value", of every request
}

// Client is an Engine.IO client. One goroutine may send while another receives.
type Client interface {
	// Handshake is what the server said in the open packet.
	Handshake() Open
	// Send sends packets: in one POST, or as one WebSocket message each.
	Send(packets ...codec.Packet) error
	// Receive waits for the next packet, heartbeats and noops included.
	Receive() (codec.Packet, error)
	// Close drops the connections without a word; Reset does so with a TCP reset.
	Close()
	Reset()
}

// Open is the data of the open packet.
type Open struct {
	SID          string   `json:"sid"`          // the session
	Upgrades     []string `json:"upgrades"`     // transports to move to
	PingInterval int      `json:"pingInterval"` // milliseconds
	PingTimeout  int      `json:"pingTimeout"`  // milliseconds
	MaxPayload   int      `json:"maxPayload"`   // bytes
}

func parseOpen(p codec.Packet) (o Open, err error) {
	if p.Type != codec.Open {
		return o, fmt.Errorf("enginetest: %v %.80q in place of the open packet", p.Type, p.Data)
	}
	return o, json.Unmarshal(p.Data, &o)
}

// Connect is Dial for tests: it does not fail, and the client is closed when the test ends.
func Connect(t testing.TB, s *Server, setup Setup) Client {
	t.Helper()
	c, err := Dial(s, setup)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Dial connects a client.
func Dial(s *Server, setup Setup) (Client, error) {
	switch setup.Way {
	case ByWebSocket:
		return s.DialWebSocket(setup, "")
	case ByUpgrade:
		p, err := s.DialPolling(setup)
		if err != nil {
			return nil, err
		}
		w, err := p.Upgrade()
		if err != nil {
			p.Close()
			return nil, err
		}
		return w, nil
	default:
		return s.DialPolling(setup)
	}
}

// URI is the request target of this client on a transport; sid may be empty.
func (u Setup) URI(transport, sid string) string {
	u = u.withDefaults()
	uri := u.Path + "?EIO=" + strconv.Itoa(int(u.Revision)) + "&transport=" + transport
	if sid != "" {
		uri += "&sid=" + sid
	}
	if u.Query != "" {
		uri += "&" + u.Query
	}
	return uri
}

func (u Setup) withDefaults() Setup {
	if u.Revision == 0 {
		u.Revision = codec.V4
	}
	if u.Path == "" {
		u.Path = "/engine.io/"
	}
	return u
}

// Next waits for the next packet that is meant for the application, or the close packet: pings are
// answered, pongs and noops skipped.
func Next(c Client) (codec.Packet, error) {
	for {
		p, err := c.Receive()
		if err != nil {
			return p, err
		}
		switch p.Type {
		case codec.Ping:
			if err := c.Send(codec.Packet{Type: codec.Pong}); err != nil {
				return p, err
			}
		case codec.Pong, codec.Noop:
		default:
			return p, nil
		}
	}
}

// Text is a text message.
func Text(s string) codec.Packet { return codec.Packet{Type: codec.Message, Data: []byte(s)} }

// Binary is a binary message.
func Binary(b []byte) codec.Packet {
	return codec.Packet{Type: codec.Message, Binary: true, Data: b}
}
