package chaos_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/enginetest"
)

// A client is the client's half of a visit. Its script runs in one goroutine, what it receives is read in a second,
// and a third does its half of the heartbeat.
type client struct {
	*visit
	open enginetest.Open

	sending    sync.Mutex // held while something leaves
	post       *line
	ws         *socket // nil on long-polling
	get        *line   // the reader's, the script's when the reader is home
	home       chan struct{}
	pausing    atomic.Bool   // the reader is to come home after this poll
	deaf       atomic.Bool   // it does not read for now
	mute       atomic.Bool   // it does not do its half of the heartbeat
	beats      chan struct{} // pings of the server
	left       chan struct{}
	background sync.WaitGroup
}

func newClient(v *visit) *client {
	return &client{
		visit: v, get: &line{stack: v.stack}, post: &line{stack: v.stack},
		beats: make(chan struct{}, 1), left: make(chan struct{}),
	}
}

// uri is the target of a request.
func (c *client) uri(transport, sid string) string {
	query := "token=" + c.token
	if c.base64 {
		query += "&b64=1"
	}
	return enginetest.Setup{Revision: c.revision, Query: query}.URI(transport, sid)
}

func (c *client) pollURI() string { return c.uri("polling", c.open.SID) }

// connect opens the session and starts the reader and the heart.
func (c *client) connect() error {
	var first codec.Packet
	var rest []codec.Packet
	if c.way == enginetest.ByWebSocket {
		ws, err := c.dialSocket("")
		if err != nil {
			return err
		}
		c.ws = ws
		if first, err = ws.receive(); err != nil {
			return err
		}
	} else {
		packets, err := c.poll()
		if err != nil {
			return err
		}
		first, rest = packets[0], packets[1:]
	}
	if first.Type != codec.Open {
		return fmt.Errorf("%v %.80q in place of the open packet", first.Type, first.Data)
	}
	if err := json.Unmarshal(first.Data, &c.open); err != nil {
		return err
	}
	c.takeAll(rest)
	c.listen()
	c.background.Go(c.heart)
	return nil
}

// poll makes one GET.
func (c *client) poll() ([]codec.Packet, error) {
	r, err := c.get.do("GET", c.pollURI(), nil, c.accepts()...)
	if err != nil {
		return nil, err
	}
	return c.unpack(r)
}

func (c *client) accepts() []string {
	if c.encoding == "" {
		return nil
	}
	return []string{"Accept-Encoding: " + c.encoding}
}

// unpack decodes the answer to a GET.
func (c *client) unpack(r *reply) (packets []codec.Packet, err error) {
	if r.status != 200 {
		return nil, statusError{r}
	}
	format := c.format()
	if r.kind == "application/octet-stream" {
		format = codec.Binary3
	}
	for d := format.Decode(r.body); ; {
		p, err := d.Next()
		if err == io.EOF {
			return packets, nil
		}
		if err != nil {
			c.fail("an answer of %d bytes cannot be decoded: %v", len(r.body), err)
			return packets, err
		}
		packets = append(packets, p)
	}
}

func (c *client) format() codec.Format {
	if c.revision == codec.V3 {
		return codec.Text3
	}
	return codec.Text4
}

// listen starts the reader on the transport there is.
func (c *client) listen() {
	home := make(chan struct{})
	c.home = home
	c.pausing.Store(false)
	read := c.readPolls
	if ws := c.ws; ws != nil {
		read = func() error { return c.readSocket(ws) }
	}
	c.background.Go(func() {
		defer close(home)
		if err := read(); err != nil {
			c.change(func() { c.lost = err })
		}
	})
}

// readPolls polls until it is to pause, or the session has ended.
func (c *client) readPolls() error {
	for {
		packets, err := c.poll()
		c.takeAll(packets)
		if err != nil || c.pausing.Load() {
			return err
		}
		if c.said() {
			return errors.New("the server said goodbye")
		}
	}
}

func (c *client) said() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.goodbye
}

func (c *client) readSocket(ws *socket) error {
	for {
		for c.deaf.Load() {
			select {
			case <-c.left:
				return io.EOF
			case <-time.After(5 * time.Millisecond):
			}
		}
		p, err := ws.receive()
		var end *websocket.CloseError
		if errors.As(err, &end) && end.Code != websocket.CloseAbnormalClosure {
			c.change(func() { c.goodbye, c.code = true, end.Code })
		}
		if err != nil {
			return err
		}
		c.take(p)
	}
}

func (c *client) takeAll(packets []codec.Packet) {
	for _, p := range packets {
		c.take(p)
	}
}

// take acts on a packet of the server.
func (c *client) take(p codec.Packet) {
	switch p.Type {
	case codec.Message:
		c.receive(p.Data, p.Binary)
	case codec.Ping:
		select {
		case c.beats <- struct{}{}:
		default:
		}
	case codec.Close:
		c.change(func() { c.goodbye = true })
	case codec.Pong, codec.Noop:
	default:
		c.fail("the client got %v %.80q", p.Type, p.Data)
	}
}

// heart does the client's half of the heartbeat.
func (c *client) heart() {
	beat := codec.Pong
	var due <-chan time.Time
	if c.revision == codec.V3 {
		beat = codec.Ping
		ticker := time.NewTicker(time.Duration(c.open.PingInterval) * time.Millisecond * 4 / 5)
		defer ticker.Stop()
		due = ticker.C
	}
	for {
		select {
		case <-c.left:
			return
		case <-c.beats:
		case <-due:
		}
		if !c.mute.Load() {
			_ = c.send(codec.Packet{Type: beat}) // whether the session still lives, the script sees
		}
	}
}

// send sends packets in one POST, or as one WebSocket message each.
func (c *client) send(packets ...codec.Packet) error {
	c.sending.Lock()
	defer c.sending.Unlock()
	return c.sendNow(packets...)
}

// sendNow is send for who holds c.sending.
func (c *client) sendNow(packets ...codec.Packet) error {
	if c.ws != nil {
		return c.ws.send(packets...)
	}
	body, kind := c.payload(packets...)
	return c.expectStatus(200, "POST", c.pollURI(), body, kind)
}

// expectStatus makes a request on the line for POSTs.
func (c *client) expectStatus(status int, method, uri string, body []byte, header ...string) error {
	r, err := c.post.do(method, uri, body, header...)
	if err == nil && r.status != status {
		err = statusError{r}
	}
	return err
}

// payload is the body of a POST, and its type.
func (c *client) payload(packets ...codec.Packet) (body []byte, contentType string) {
	format, contentType := c.format(), "Content-Type: text/plain;charset=UTF-8"
	for _, p := range packets {
		if p.Binary && format == codec.Text3 && !c.base64 {
			format, contentType = codec.Binary3, "Content-Type: application/octet-stream"
		}
	}
	for _, p := range packets {
		body = format.Append(body, p)
	}
	return body, contentType
}

// write makes the next letter.
func (c *client) write(order byte, most int) codec.Packet {
	pad, binary := pad(c.rng, upTo(most))
	l := letter{c.token, kindUp, order, 0}
	c.change(func() {
		c.up++
		l.seq = c.up
	})
	return codec.Packet{Type: codec.Message, Binary: binary, Data: l.append(nil, pad, binary)}
}

// exchange sends letters, n times some at once.
func (c *client) exchange(n int) error {
	for range n {
		var packets []codec.Packet
		if c.rng.IntN(3) > 0 {
			packets = append(packets, c.write(orderNone, padMax))
		} else {
			for range c.rng.IntN(8) + 2 {
				packets = append(packets, c.write(orderNone, padSmall))
			}
		}
		if err := c.send(packets...); err != nil {
			return err
		}
		time.Sleep(time.Duration(c.rng.IntN(20_000)) * time.Microsecond)
	}
	return nil
}

// order sends one letter with an order.
func (c *client) order(order byte) error { return c.send(c.write(order, padSmall)) }

// pause brings the reader home, by an echo if need be. Earlier ones must have come: one that fills the queue of a
// client which polls no more would keep this echo waiting, and so the POST, and so the client.
func (c *client) pause() error {
	if c.behaves() {
		if err := c.answeredAll(); err != nil {
			return err
		}
	}
	c.pausing.Store(true)
	if err := c.order(orderNone); err != nil {
		return err
	}
	return c.comeHome()
}

// comeHome waits for the reader, and returns what has ended it if not the pause.
func (c *client) comeHome() error {
	select {
	case <-c.home:
		return c.loss()
	case <-time.After(patience):
		return errors.New("the reader does not come home")
	}
}

// answeredAll waits until every letter has its echo.
func (c *client) answeredAll() error {
	if !c.await(func() bool { return c.echoes.n == c.up || c.lost != nil }) {
		return fmt.Errorf("%d of %d echoes after %v", c.echoes.n, c.up, patience)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.echoes.n != c.up {
		return fmt.Errorf("%d of %d echoes: %w", c.echoes.n, c.up, c.lost)
	}
	return nil
}

// leave ends the visit as planned, and waits for the session's end.
func (c *client) leave() error {
	if err := c.answeredAll(); err != nil {
		return err
	}
	var err error
	switch c.leaving {
	case leaveClose:
		err = c.order(orderClose)
	case leaveDisconnect:
		err = c.order(orderDisconnect)
	case leaveNow:
		err = c.order(orderCloseNow)
	default:
		err = c.bye()
	}
	if err != nil {
		return err
	}
	return c.over()
}

// bye says goodbye, behind some last letters.
func (c *client) bye() error {
	packets := []codec.Packet{c.write(orderNone, padSmall), c.write(orderNone, padSmall), {Type: codec.Close}}
	if c.leaving == leaveFrame && c.ws != nil {
		c.sending.Lock()
		defer c.sending.Unlock()
		if err := c.ws.send(packets[:2]...); err != nil {
			return err
		}
		return c.ws.raw(frame(fin|opClose, []byte{0x03, 0xe8}))
	}
	return c.send(packets...)
}

// over waits for the end of the session, and for the reader, who gets what was sent before it.
func (c *client) over() error {
	select {
	case <-c.ended:
	case <-time.After(patience):
		return errors.New("the session does not end")
	}
	_ = c.comeHome() // judge sees what came
	return nil
}

// hangUp drops all connections.
func (c *client) hangUp() {
	close(c.left)
	c.get.close()
	c.post.close()
	c.sending.Lock()
	ws := c.ws
	c.sending.Unlock()
	if ws != nil {
		_ = ws.Close()
	}
	c.background.Wait()
}

// part is leave for a client that may have lost something.
func (c *client) part() error {
	if err := c.send(codec.Packet{Type: codec.Close}); err != nil {
		return err
	}
	return c.over()
}
