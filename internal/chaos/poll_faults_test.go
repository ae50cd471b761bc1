package chaos_test

import (
	"io"
	"net"
	"sync"
	"time"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// untilEnded repeats f until the session has ended, or lifetime nearly has.
func (c *client) untilEnded(f func()) error {
	for begin := time.Now(); time.Since(begin) < lifetime/2; {
		select {
		case <-c.ended:
			return nil
		default:
			f()
		}
	}
	return nil // judge tells that the session lives
}

// overlapGet makes several GETs at once, until the server has noticed: one takes what is queued, one waits for more,
// the others are too many.
func overlapGet(c *client) error {
	if err := c.pause(); err != nil {
		return err
	}
	c.change(func() { c.loose = true }) // whose answer came first, nobody knows
	lines := make([]line, 4)
	for i := range lines {
		lines[i].stack = c.stack
		defer lines[i].close()
	}
	return c.untilEnded(func() {
		var all sync.WaitGroup
		for i := range lines {
			all.Go(func() {
				l := &lines[i]
				r, err := l.do("GET", c.pollURI(), nil)
				if err == nil && r.status == 200 {
					c.skim(r)
				}
			})
		}
		all.Wait()
	})
}

// skim looks in an answer for letters of others, and at no order.
func (c *client) skim(r *reply) {
	packets, _ := c.unpack(r)
	for _, p := range packets {
		if p.Type != codec.Message {
			continue
		}
		if l, err := read(p.Data, p.Binary); err != nil || l.token != c.token && l.token != everybody {
			c.fail("the client got a letter of %s, %v", l.token, err)
		}
	}
}

// overlapPost sends the same payload twice at once, until the server has noticed.
func overlapPost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	a, b := &line{stack: c.stack}, &line{stack: c.stack}
	defer a.close()
	defer b.close()
	return c.untilEnded(func() {
		var packets []codec.Packet
		for range c.stack.handlers + 2 { // so many that the last is not received at once
			packets = append(packets, c.writeTwice(orderSlow))
		}
		body, kind := c.payload(packets...)
		var both sync.WaitGroup
		for _, l := range []*line{a, b} {
			both.Go(func() { _, _ = l.do("POST", c.pollURI(), body, kind) })
		}
		both.Wait()
	})
}

// writeTwice makes a letter that may come twice.
func (c *client) writeTwice(order byte) codec.Packet {
	l := letter{c.token, kindTwice, order, 0}
	c.change(func() {
		c.odd++
		l.seq = c.odd
	})
	pad, binary := pad(c.rng, upTo(padSmall))
	return codec.Packet{Type: codec.Message, Binary: binary, Data: l.append(nil, pad, binary)}
}

// repeatPost sends the same payload twice, one after the other.
func repeatPost(c *client) error {
	packet := c.writeTwice(orderNone)
	if err := c.send(packet); err != nil {
		return err
	}
	return c.send(packet)
}

// abortGet gives up a poll and is never seen again.
func abortGet(c *client) error {
	if err := c.pause(); err != nil {
		return err
	}
	c.mute.Store(true)
	if err := c.get.ask("GET", c.pollURI(), nil, c.accepts()...); err != nil {
		return err
	}
	time.Sleep(time.Duration(c.rng.IntN(20)) * time.Millisecond)
	switch c.rng.IntN(3) {
	case 0:
		enginetest.HalfClose(c.get.conn)
	case 1:
		c.get.hangUp(enginetest.Reset)
	case 2:
		c.get.hangUp(func(n net.Conn) { _ = n.Close() })
	}
	return nil
}

// resetResponse resets the connection while a large answer comes, and polls on.
func resetResponse(c *client) error {
	if err := c.pause(); err != nil {
		return err
	}
	c.change(func() { c.loose = true })
	if err := c.order(orderFlood); err != nil {
		return err
	}
	if err := c.get.ask("GET", c.pollURI(), nil, c.accepts()...); err != nil {
		return err
	}
	_, err := c.get.reader.Read(make([]byte, c.rng.IntN(2000)+1))
	c.get.hangUp(enginetest.Reset)
	if err != nil {
		return err
	}
	c.listen()
	return nil
}

// stallResponse reads an answer in small pieces, with pauses.
func stallResponse(c *client) error {
	if err := c.pause(); err != nil {
		return err
	}
	if err := c.order(orderFlood); err != nil {
		return err
	}
	if err := c.get.ask("GET", c.pollURI(), nil, c.accepts()...); err != nil {
		return err
	}
	pauses := c.rng.IntN(30)
	r, err := c.get.read("GET", func(body io.Reader) io.Reader { return &slowReader{body, pauses} })
	if err != nil {
		return err
	}
	packets, err := c.unpack(r)
	c.takeAll(packets)
	c.listen()
	return err
}

// A slowReader pauses a number of times.
type slowReader struct {
	io.Reader
	pauses int
}

// Read reads a little at first.
func (s *slowReader) Read(b []byte) (int, error) {
	if s.pauses > 0 {
		s.pauses--
		time.Sleep(10 * time.Millisecond)
		b = b[:min(len(b), 512)]
	}
	return s.Reader.Read(b)
}

// truncatePost ends the connection before the body has come. A server that streams bodies has the POST under way
// until it notices, so there the client waits for its answer.
func truncatePost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	body := append([]byte("4"), textPad[:c.rng.IntN(padMax)+100]...)
	request := enginetest.Request("POST", c.pollURI(), c.stack.addr, body)
	request = request[:len(request)-1-c.rng.IntN(len(body))]
	l := &line{stack: c.stack}
	defer l.close()
	if err := l.write(request); err != nil {
		return err
	}
	if !c.stack.streaming {
		l.hangUp(c.drop)
		return nil
	}
	enginetest.HalfClose(l.conn)
	if r, err := l.read("POST", func(r io.Reader) io.Reader { return r }); err == nil && r.status == 200 {
		return statusError{r}
	}
	return nil
}

// slowPost sends a POST in small pieces.
func slowPost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	body, kind := c.payload(c.write(orderNone, 100))
	request := enginetest.Request("POST", c.pollURI(), c.stack.addr, body, kind)
	head := len(request) - len(body)
	if err := c.post.write(request[:head]); err != nil {
		return err
	}
	for _, b := range body {
		if err := c.post.write([]byte{b}); err != nil {
			return err
		}
		time.Sleep(time.Millisecond)
	}
	r, err := c.post.read("POST", func(r io.Reader) io.Reader { return r })
	if err == nil && r.status != 200 {
		err = statusError{r}
	}
	return err
}

func bigPost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.expectStatus(413, "POST", c.pollURI(), make([]byte, maxPayload+1), "Content-Type: text/plain")
}

func garbagePost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	garbage := []string{"", "x", "hello", "99:4", "\x1e"}
	body := []byte(garbage[c.rng.IntN(len(garbage))])
	_, err := c.post.do("POST", c.pollURI(), body, "Content-Type: text/plain")
	return err
}

func binaryPost(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.expectStatus(400, "POST", c.pollURI(), []byte("4x"), "Content-Type: application/octet-stream")
}

// strangeRequests are refused and do nothing to the session.
func strangeRequests(c *client) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	own, other := c.pollURI(), "/engine.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAAAAAA"
	alien := enginetest.Setup{Revision: 7 - c.revision}.URI("polling", c.open.SID)
	for _, ask := range []struct {
		status      int
		method, uri string
	}{
		{400, "PUT", other}, {400, "GET", other}, {400, "POST", other}, {400, "GET", alien}, {400, "POST", alien},
		{400, "GET", c.uri("carrier-pigeon", c.open.SID)}, {400, "GET", c.uri("websocket", c.open.SID)},
		{400, "POST", "/engine.io/?EIO=4&transport=polling"}, {404, "GET", "/elsewhere"}, {400, "DELETE", own},
	} {
		if ask.uri == own && c.ws != nil || c.rng.IntN(2) == 0 {
			continue
		}
		if err := c.expectStatus(ask.status, ask.method, ask.uri, nil); err != nil {
			return err
		}
	}
	return nil
}
