package peers

import (
	"errors"
	"net"

	"github.com/lxzan/gws"

	"github.com/fasteio/engineio/internal/enginetest"
)

// gwsClient is github.com/lxzan/gws, which calls back.
type gwsClient struct {
	gws.BuiltinEventHandler
	conn  *gws.Conn
	got   chan message
	pongs chan string
	ended chan error
}

// gwsDeflate are the ways in which it offers permessage-deflate. A window of its own it has, if we let it.
var gwsDeflate = map[string]gws.PermessageDeflate{
	"deflate":                            {Enabled: true, Threshold: 1},
	"deflate, takeover":                  {Enabled: true, ServerContextTakeover: true, ClientContextTakeover: true},
	"deflate, client's window of 9 bits": {Enabled: true, Threshold: 1, ClientMaxWindowBits: 9},
}

func dialGWS(s *enginetest.Server, uri string, deflate gws.PermessageDeflate) (client, error) {
	raw, err := s.Dial()
	if err != nil {
		return nil, err
	}
	c := &gwsClient{got: make(chan message, 2000), pongs: make(chan string, 100), ended: make(chan error, 1)}
	option := &gws.ClientOption{Addr: "ws://" + s.Addr + uri, PermessageDeflate: deflate, CheckUtf8Enabled: true}
	var agreed string
	conn, r, err := gws.NewClientFromConn(c, option, raw)
	if r != nil {
		agreed = r.Header.Get("Sec-WebSocket-Extensions")
	}
	if err != nil {
		return nil, err
	}
	if (agreed != "") != deflate.Enabled {
		_ = raw.Close()
		return nil, errors.New("extensions " + agreed)
	}
	c.conn = conn
	go conn.ReadLoop()
	return c, nil
}

func (c *gwsClient) OnClose(_ *gws.Conn, err error) {
	c.ended <- err
	close(c.got)
}

func (c *gwsClient) OnPong(_ *gws.Conn, payload []byte) { c.pongs <- string(payload) }

func (c *gwsClient) OnMessage(_ *gws.Conn, m *gws.Message) {
	c.got <- message{m.Opcode == gws.OpcodeBinary, string(m.Bytes())}
	_ = m.Close()
}

func (c *gwsClient) send(m message) error {
	if m.binary {
		return c.conn.WriteMessage(gws.OpcodeBinary, []byte(m.data))
	}
	return c.conn.WriteString(m.data)
}

func (c *gwsClient) receive() (message, error) {
	if m, ok := <-c.got; ok {
		return m, nil
	}
	err := <-c.ended
	c.ended <- err
	var closed *gws.CloseError
	if errors.As(err, &closed) {
		err = closeError(closed.Code)
	}
	return message{}, err
}

func (c *gwsClient) ping(payload string) error { return c.conn.WritePing([]byte(payload)) }
func (c *gwsClient) pong() <-chan string       { return c.pongs }
func (c *gwsClient) close(code uint16) error   { return c.conn.WriteClose(code, []byte("bye")) }
func (c *gwsClient) raw() net.Conn             { return c.conn.NetConn() }
