package chaos_test

import (
	"errors"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// writing writes bytes to the WebSocket.
func writing(b []byte) func(*client) error {
	return func(c *client) error {
		c.sending.Lock()
		defer c.sending.Unlock()
		return c.ws.raw(b)
	}
}

// framing writes one frame.
func framing(first byte, payload string) func(*client) error {
	return writing(frame(first, []byte(payload)))
}

func bigFrame(c *client) error {
	return writing(frame(fin|opText, append([]byte("4"), make([]byte, maxPayload+c.rng.IntN(1000))...)))(c)
}

func resetSocket(c *client) error {
	c.ws.reset()
	return nil
}

func closeSocket(c *client) error { return c.ws.NetConn().Close() }

func halfCloseSocket(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	enginetest.HalfClose(c.ws.NetConn())
	return nil
}

// partOfFrame writes a letter's frame, but not all of it.
func (c *client) partOfFrame() error {
	data := letter{c.token, kindUp, orderNone, 0}.append(nil, textPad[:c.rng.IntN(padMax/4)*4], false)
	b := frame(fin|opText, append([]byte("4"), data...))
	return c.ws.raw(b[:1+c.rng.IntN(len(b)-1)])
}

func cutFrame(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	err := c.partOfFrame()
	c.ws.reset()
	return err
}

func endFrame(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	err := c.partOfFrame()
	enginetest.HalfClose(c.ws.NetConn())
	return err
}

// fragments sends letters in several frames, with control frames between them, and in several writes.
func fragments(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	pings := 0
	for range c.rng.IntN(4) + 1 {
		p := c.write(orderNone, 16<<10)
		payload, first := c.revision.AppendMessage(nil, p), byte(opText)
		if p.Binary {
			first = opBinary
		}
		var b []byte
		for len(payload) > 1 && c.rng.IntN(8) > 0 {
			n := c.rng.IntN(len(payload))
			b = append(b, frame(first, payload[:n])...)
			b = append(b, frame(fin|opPing, []byte(c.token))...)
			pings++
			first, payload = opMore, payload[n:]
		}
		b = append(b, frame(first|fin, payload)...)
		if err := c.inPieces(b); err != nil {
			return err
		}
	}
	return c.ponged(pings)
}

func (c *client) inPieces(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), c.rng.IntN(4000)+1)
		if err := c.ws.raw(b[:n]); err != nil {
			return err
		}
		b = b[n:]
		time.Sleep(time.Duration(c.rng.IntN(1000)) * time.Microsecond)
	}
	return nil
}

// ponged waits for answers to WebSocket pings. A full queue takes none.
func (c *client) ponged(n int) error {
	if c.stack.queue > 0 {
		return nil
	}
	if !c.await(func() bool { return c.pongs >= n || c.lost != nil }) {
		return errors.New("pings are not answered")
	}
	return c.loss()
}

func socketPings(c *client) error {
	n := c.rng.IntN(20) + 1
	c.sending.Lock()
	defer c.sending.Unlock()
	for range n {
		b := append(frame(fin|opPing, []byte(c.token)), frame(fin|opPong, []byte("unasked"))...)
		if err := c.ws.raw(b); err != nil {
			return err
		}
	}
	return c.ponged(n)
}

// stallSocket does not read for a while, and is sent much.
func stallSocket(c *client) error {
	c.deaf.Store(true)
	defer c.deaf.Store(false)
	if err := c.order(orderFlood); err != nil {
		return err
	}
	if err := c.exchange(3); err != nil {
		return err
	}
	time.Sleep(time.Duration(c.rng.IntN(400)) * time.Millisecond)
	return nil
}

// stallForGood stops to read, to answer and to leave.
func stallForGood(c *client) error {
	c.deaf.Store(true)
	c.mute.Store(true)
	return c.order(orderFlood)
}

func wrongBeat(c *client) error {
	beat := codec.Ping
	if c.revision == codec.V3 {
		beat = codec.Pong
	}
	return c.send(codec.Packet{Type: beat})
}

// goMute stops the client's half of the heartbeat, and nothing else.
func goMute(c *client) error {
	c.mute.Store(true)
	return nil
}

// vanish leaves everything as it is and does nothing any more.
func vanish(c *client) error {
	c.mute.Store(true)
	if c.ws == nil {
		return c.pause()
	}
	c.deaf.Store(true)
	return nil
}

// abortOpening asks for a session and does not wait for it.
func abortOpening(c *client) error {
	c.mute.Store(true)
	if c.way == enginetest.ByWebSocket {
		return c.abortHandshake("", c.rng.IntN(3) == 0)
	}
	if err := c.get.ask("GET", c.pollURI(), nil); err != nil {
		return err
	}
	c.get.hangUp(c.drop)
	return nil
}
