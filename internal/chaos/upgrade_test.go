package chaos_test

import (
	"net"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// upgrade moves the session to a WebSocket. An eager client says 5 before its last poll is home, and reads the
// answer to it before the WebSocket.
func (c *client) upgrade(eager bool) error {
	ws, err := c.probe()
	if err != nil {
		return err
	}
	c.sending.Lock()
	defer c.sending.Unlock()
	c.ws = ws // from here on hangUp knows it; who sends waits
	c.pausing.Store(true)
	if !eager {
		if err = c.comeHome(); err != nil {
			return err
		}
	}
	if err = ws.send(codec.Packet{Type: codec.Upgrade}); err != nil {
		return err
	}
	if eager {
		_ = c.comeHome() // the poll is refused when the 5 was faster
		c.change(func() { c.lost = nil })
	}
	c.get.close()
	c.post.close()
	c.listen()
	return nil
}

func (c *client) loss() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost
}

// upgradeAfterAll is upgrade where an earlier attempt may still be under way, which refuses another.
func (c *client) upgradeAfterAll(eager bool) error {
	for begin := time.Now(); ; {
		err := c.upgrade(eager)
		if err == nil || c.ws != nil || time.Since(begin) > patience/2 {
			return err
		}
		select {
		case <-c.ended:
			return err
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// probe opens a WebSocket and plays the upgrade up to the answer to the probe.
func (c *client) probe() (*socket, error) {
	ws, err := c.dialSocket(c.open.SID)
	if err != nil {
		return nil, err
	}
	if err = ws.send(probePacket()); err == nil {
		err = ws.expect(codec.Pong, "probe")
	}
	if err != nil {
		_ = ws.Close()
		return nil, err
	}
	return ws, nil
}

func probePacket() codec.Packet { return codec.Packet{Type: codec.Ping, Data: []byte("probe")} }

// abortUpgrade begins an upgrade and drops it at one of its steps.
func abortUpgrade(c *client) error {
	step := c.rng.IntN(9)
	if step < 2 { // one that was lost behind the request has the right to upgrade until UpgradeTimeout
		return c.abortHandshake(c.open.SID, step == 0 || c.way == enginetest.ByUpgrade)
	}
	ws, err := c.dialSocket(c.open.SID)
	if err != nil {
		return err
	}
	defer ws.Close()
	probed := step >= 5
	if probed || step == 3 {
		err = ws.send(probePacket())
	}
	if err == nil && probed {
		err = ws.expect(codec.Pong, "probe")
	}
	if err != nil {
		return err
	}
	switch step {
	case 2, 3, 5:
		ws.reset()
	case 4, 6:
		err = ws.send(codec.Packet{Type: codec.Message, Data: []byte("no probe")})
	case 7:
		err = ws.raw(frame(fin|opClose, nil))
	case 8:
		err = ws.raw(frame(fin|opBad, nil))
	}
	if err == nil && step != 2 && step != 3 && step != 5 {
		for err == nil { // until the server hangs up
			_, err = ws.receive()
		}
		err = nil
	}
	return err
}

// abortHandshake begins a WebSocket handshake and ends the connection in the middle of the request, or behind it.
func (c *client) abortHandshake(sid string, middle bool) error {
	conn, err := c.stack.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	request := enginetest.Request("GET", c.uri("websocket", sid), c.stack.addr, nil, "Connection: Upgrade",
		"Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==")
	if middle {
		request = request[:c.rng.IntN(len(request))]
	}
	if _, err = conn.Write(request); err != nil {
		return err
	}
	c.drop(conn)
	return nil
}

// drop ends a connection in one of the ways there are.
func (c *client) drop(conn net.Conn) {
	defer conn.Close()
	time.Sleep(time.Duration(c.rng.IntN(3)) * time.Millisecond)
	switch c.rng.IntN(3) {
	case 0:
		enginetest.Reset(conn)
	case 1:
		_ = conn.Close()
	case 2:
		enginetest.HalfClose(conn)
		_, _ = conn.Read(make([]byte, 1<<10))
	}
}

// holdUpgrade probes, lets the WebSocket wait while the session goes on, and drops it.
func holdUpgrade(c *client) error {
	ws, err := c.probe()
	if err != nil {
		return err
	}
	defer ws.Close()
	return c.exchange(5)
}

// twoUpgrades wants two at once. The second is sent away.
func twoUpgrades(c *client) error {
	ws, err := c.probe()
	if err != nil {
		return err
	}
	defer ws.Close()
	return c.refusedSocket()
}

// refusedSocket opens a WebSocket that the session has no use for.
func (c *client) refusedSocket() error {
	ws, err := c.dialSocket(c.open.SID)
	if err != nil {
		return err
	}
	defer ws.Close()
	if p, err := ws.receive(); err == nil {
		c.fail("a second WebSocket got %v %.80q", p.Type, p.Data)
	}
	return nil
}

// lateUpgrade tries to upgrade what is on WebSocket, and to poll. An echo tells that the server has seen the 5.
func lateUpgrade(c *client) error {
	if err := c.order(orderNone); err != nil {
		return err
	}
	if err := c.answeredAll(); err != nil {
		return err
	}
	if err := c.refusedSocket(); err != nil {
		return err
	}
	l := &line{stack: c.stack}
	defer l.close()
	r, err := l.do("GET", c.pollURI(), nil)
	if err == nil && r.status != 400 {
		err = statusError{r}
	}
	return err
}

// lostUpgrade sends the 5 and resets the connection.
func lostUpgrade(c *client) error {
	ws, err := c.probe()
	if err != nil {
		return err
	}
	defer ws.Close()
	c.mute.Store(true)
	c.pausing.Store(true)
	if err = c.comeHome(); err != nil {
		return err
	}
	err = ws.send(codec.Packet{Type: codec.Upgrade})
	ws.reset()
	return err
}
