package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// session is one of a client's. Its goroutine waits in hold.
type session struct {
	c      *Client
	number int
	conn   net.Conn
	r      *bufio.Reader
	sid    string // of a session on long-polling
	poll   bool

	heard atomic.Int64  // when the last ping came, or the open packet, of now
	next  atomic.Uint64 // the broadcast that is due
	over  atomic.Bool
	ended chan struct{} // closed with over

	posting sync.Mutex // two POSTs at once would end the session
	said    bool       // its goodbye; guarded by posting
}

// A WebSocket reads nothing longer than a broadcast with its frame header, and no response line
// is longer either.
const readSize = 512

func (s *session) String() string {
	transport := "WebSocket"
	if s.poll {
		transport = "poll"
	}
	return fmt.Sprintf("session %d, %s, from %v", s.number, transport, s.conn.LocalAddr())
}

// open opens session number n of all.
func (c *Client) open(n int, poll bool) (*session, error) {
	conn, err := dial(c.settings.Addr, n)
	if err != nil {
		return nil, err
	}
	s := &session{
		c: c, number: n, conn: conn, r: bufio.NewReaderSize(conn, readSize), poll: poll, ended: make(chan struct{}),
	}
	handshake := s.openWebSocket
	if poll {
		handshake = s.openPoll
	}
	packet, err := handshake()
	if err == nil {
		err = s.opened(packet)
	}
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("opening %v: %w", s, err)
	}
	return s, conn.SetDeadline(time.Time{})
}

// opened reads the open packet.
func (s *session) opened(packet []byte) error {
	var open struct {
		SID                       string
		PingInterval, PingTimeout int64
	}
	if len(packet) == 0 || packet[0] != '0' {
		return fmt.Errorf("%.60q in place of an open packet", packet)
	}
	err := json.Unmarshal(packet[1:], &open)
	want := s.c.settings
	if err != nil || open.SID == "" || open.PingInterval != want.PingInterval.Milliseconds() ||
		open.PingTimeout != want.PingTimeout.Milliseconds() {
		return fmt.Errorf("open packet %.200q: %v", packet, err)
	}
	if s.poll {
		s.sid = open.SID
	}
	s.heard.Store(int64(now()))
	return nil
}

// hold answers pings until the session ends. It returns nil when that was asked for.
func (s *session) hold() error {
	if s.poll {
		return s.holdPoll()
	}
	return s.holdWebSocket()
}

// goodbye asks the server to end the session, and waits until hold has the answer.
func (s *session) goodbye() {
	say := s.goodbyeWebSocket
	if s.poll {
		say = s.goodbyePoll
	}
	if err := say(); err != nil {
		s.c.ended(s, err)
	}
	<-s.ended
}

// packet acts on one of the server's, and tells whether it wants a pong.
func (s *session) packet(p []byte) (pong bool) {
	switch {
	case string(p) == "2":
		s.heard.Store(int64(now()))
		return true
	case len(p) > 0 && p[0] == '4':
		s.broadcast(p[1:])
	default:
		s.c.faults.wrong("%v: packet %.60q", s, p)
	}
	return false
}

// broadcast checks that a broadcast is the one due.
func (s *session) broadcast(m []byte) {
	seq, made, err := s.c.judge.read(m)
	if err != nil {
		s.c.faults.wrong("%v: %v", s, err)
		return
	}
	due := s.next.Load()
	if seq == due {
		s.c.inbox.add(seq, made)
	} else {
		s.c.faults.wrong("%v: broadcast %d came when %d was due", s, seq, due)
	}
	s.next.Store(max(due, seq+1))
}
