package main

import (
	"errors"
	"io"
	"net"
	"testing"
	"time"
)

// A session that is connected but has no pings counts as lost, and one that has does not.
func TestASilentServerIsFoundOut(t *testing.T) {
	t.Parallel()
	c := &Client{}
	settings := ClientSettings{Bytes: stamped, PingInterval: 20 * time.Millisecond, PingTimeout: time.Second}
	if err := c.Start(settings, nil); err != nil {
		t.Fatal(err)
	}
	var sessions []*session
	for range 2 {
		_, conn := net.Pipe()
		s := &session{c: c, conn: conn, ended: make(chan struct{})}
		s.heard.Store(int64(now()))
		sessions = append(sessions, s)
	}
	sessions[1].heard.Store(int64(now() + time.Hour))
	c.mu.Lock()
	c.sessions = sessions
	c.mu.Unlock()
	c.alive.Store(2)
	_ = sessions[0].conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	_, err := sessions[0].conn.Read(make([]byte, 1)) // the sweep closes it
	f := c.faults.read()
	if !errors.Is(err, io.ErrClosedPipe) || f.Lost != 1 || c.alive.Load() != 1 || sessions[1].over.Load() {
		t.Errorf("read: %v; %d alive, %+v", err, c.alive.Load(), f)
	}
}
