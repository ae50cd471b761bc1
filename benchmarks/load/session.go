package main

import (
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"time"
)

// session is a client's session, opened. One of its connections may be missing.
type session struct {
	o    *options
	sid  string
	ping time.Duration // the server's ping interval
	poll *wire         // of a session on long-polling
	post *wire         // beside it, for POSTs while a poll waits; see openPost
	ws   *stream       // of one on WebSocket

	dropped chan struct{} // closed by drop
	once    sync.Once
}

// open makes the session the options ask for. All of it must be done within the timeout; after
// that the connections have no deadline.
func (d *dialer) open(o *options) (*session, error) {
	s := &session{o: o, dropped: make(chan struct{})}
	var err error
	switch o.transport {
	case "websocket":
		err = s.openWebSocket(d)
	case "polling":
		err = s.openPolling(d)
	case "upgrade":
		if err = s.openPolling(d); err == nil {
			err = s.upgrade(d)
		}
	}
	if err != nil {
		s.drop()
		return nil, fmt.Errorf("opening a session: %w", err)
	}
	for _, c := range s.conns() {
		_ = c.SetDeadline(time.Time{})
	}
	return s, nil
}

// connect opens a connection whose reads take size bytes at a time.
func (d *dialer) connect(size int) (*wire, error) {
	c, err := d.dial()
	if err != nil {
		return nil, err
	}
	_ = c.SetDeadline(time.Now().Add(d.timeout))
	return newWire(c, size), nil
}

// readSize is enough for all echoes that can be under way; hundreds of idle sessions need less.
func (o *options) readSize() int {
	if o.connect || o.idle {
		return firstBuffer
	}
	return o.pipeline * (o.size + 32)
}

func (s *session) openWebSocket(d *dialer) error {
	w, err := d.connect(s.o.readSize())
	if err != nil {
		return err
	}
	s.ws = &stream{wire: w}
	if _, err := w.Write(s.o.upgrade("")); err != nil {
		return err
	}
	if err := w.switched(); err != nil {
		return err
	}
	packet, err := s.ws.receive()
	if err != nil {
		return err
	}
	return s.opened(packet)
}

func (s *session) openPolling(d *dialer) error {
	w, err := d.connect(s.o.readSize())
	if err != nil {
		return err
	}
	s.poll = w
	body, err := s.pollOnce("")
	if err != nil {
		return err
	}
	first := true
	return packets(body, s.o.revision, func(p []byte) error {
		if !first {
			return nil
		}
		first = false
		return s.opened(p)
	})
}

// opened reads the open packet.
func (s *session) opened(packet []byte) error {
	var open struct {
		SID          string `json:"sid"`
		PingInterval int64  `json:"pingInterval"`
	}
	if len(packet) == 0 || packet[0] != '0' {
		return fmt.Errorf("%.60q in place of an open packet", packet)
	}
	if err := json.Unmarshal(packet[1:], &open); err != nil || open.SID == "" || open.PingInterval <= 0 {
		return fmt.Errorf("open packet %.200q: %v", packet, err)
	}
	s.sid, s.ping = open.SID, time.Duration(open.PingInterval)*time.Millisecond
	return nil
}

// openPost opens a second connection, as a browser does: a POST must not wait for the poll.
func (s *session) openPost(d *dialer) error {
	w, err := d.connect(firstBuffer)
	if err != nil {
		return err
	}
	s.post = w
	return w.SetDeadline(time.Time{})
}

// pollOnce is one GET with its answer.
func (s *session) pollOnce(sid string) ([]byte, error) {
	if _, err := s.poll.Write(s.o.get(sid)); err != nil {
		return nil, err
	}
	return s.poll.response(200)
}

// upgrade moves the session to WebSocket as engine.io-client does: a poll is parked all the while,
// the probe's answer makes the server release it, and the upgrade packet comes after that.
func (s *session) upgrade(d *dialer) error {
	if _, err := s.poll.Write(s.o.get(s.sid)); err != nil {
		return err
	}
	w, err := d.connect(s.o.readSize())
	if err != nil {
		return err
	}
	s.ws = &stream{wire: w}
	if _, err := w.Write(s.o.upgrade(s.sid)); err != nil {
		return err
	}
	if err := w.switched(); err != nil {
		return err
	}
	if _, err := w.Write(appendFrame(nil, opText, []byte("2probe"))); err != nil {
		return err
	}
	packet, err := s.ws.receive()
	if err != nil {
		return fmt.Errorf("the probe: %w", err)
	}
	if string(packet) != "3probe" {
		return fmt.Errorf("the probe was answered %.60q", packet)
	}
	if _, err := s.poll.response(200); err != nil {
		return fmt.Errorf("the poll during the upgrade: %w", err)
	}
	if _, err := w.Write(appendFrame(nil, opText, []byte("5"))); err != nil {
		return err
	}
	s.poll.Close()
	s.poll = nil
	return nil
}

// drop closes the connections and says nothing. It may be called again.
func (s *session) drop() {
	s.once.Do(func() { close(s.dropped) })
	for _, c := range s.conns() {
		c.Close()
	}
}

// conns are the connections of the session.
func (s *session) conns() (conns []net.Conn) {
	if s.poll != nil {
		conns = append(conns, s.poll)
	}
	if s.post != nil {
		conns = append(conns, s.post)
	}
	if s.ws != nil {
		conns = append(conns, s.ws)
	}
	return conns
}

// goodbye ends the session in good order: by a close packet on long-polling, by a close frame on
// WebSocket, each with its answer.
func (s *session) goodbye(timeout time.Duration) error {
	defer s.drop()
	if s.ws == nil {
		_ = s.poll.SetDeadline(time.Now().Add(timeout))
		if _, err := s.poll.Write(s.o.post(s.sid, "1")); err != nil {
			return err
		}
		_, err := s.poll.response(200)
		return err
	}
	_ = s.ws.SetDeadline(time.Now().Add(timeout))
	if _, err := s.ws.Write(closeFrame); err != nil {
		return err
	}
	for {
		op, _, ok, err := s.ws.next()
		if err != nil || ok && op == opClose {
			return err
		}
		if ok {
			continue // a ping or a message that was on its way
		}
		if err := s.ws.fill(); err != nil {
			return err
		}
	}
}

var closeFrame = appendFrame(nil, opClose, []byte{1000 >> 8, 1000 & 0xff})
