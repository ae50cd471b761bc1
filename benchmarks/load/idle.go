package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// idleRun holds sessions that do nothing but keep alive, and weighs them: the growth of the
// server's memory for each.
func idleRun(o *options, m *meter) error {
	m.what = "sessions"
	if err := rehearse(o, m); err != nil {
		return err
	}
	before, err := m.settled()
	if err != nil {
		return err
	}
	sessions := openAll(o, m)
	var stop atomic.Bool
	var wg sync.WaitGroup
	var alive atomic.Int64
	for i, s := range sessions {
		if s == nil {
			continue
		}
		alive.Add(1)
		wg.Go(func() {
			if err := s.hold(); !stop.Load() {
				alive.Add(-1)
				m.fault(i, err)
			}
		})
	}
	time.Sleep(o.warmup)
	after, err := m.settled()
	if err == nil {
		err = m.measure(nil)
	}
	m.shares[0].count = alive.Load()
	if n := alive.Load(); n > 0 {
		m.perSession = float64(after-before) / float64(n)
	}
	stop.Store(true)
	for _, s := range sessions {
		if s != nil {
			s.drop()
		}
	}
	wg.Wait()
	return err
}

// rehearse opens some sessions and ends them, so that what a server makes once is not counted.
func rehearse(o *options, m *meter) error {
	few := *o
	few.clients = min(o.clients, 50)
	for _, s := range openAll(&few, m) {
		if s == nil {
			return errors.New("no session could be opened: " + m.faults[0])
		}
		if err := s.goodbye(o.timeout); err != nil {
			return err
		}
	}
	return nil
}

// hold answers pings until the session ends, and says why it did.
func (s *session) hold() error {
	if s.ws != nil {
		return s.holdWebSocket()
	}
	return s.holdPoll()
}

func (s *session) holdWebSocket() error {
	for {
		packet, err := s.ws.receive()
		if err == nil && string(packet) == "2" {
			_, err = s.ws.Write(appendFrame(nil, opText, []byte("3")))
		}
		if err != nil {
			return err
		}
	}
}

func (s *session) holdPoll() error {
	for {
		body, err := s.pollOnce(s.sid)
		if err != nil {
			return err
		}
		err = packets(body, s.o.revision, func(packet []byte) error {
			switch string(packet) {
			case "1":
				return errors.New("the server closed the session")
			case "2":
				return s.send("3")
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// send posts a packet between two polls.
func (s *session) send(packet string) error {
	if _, err := s.poll.Write(s.o.post(s.sid, packet)); err != nil {
		return err
	}
	_, err := s.poll.response(200)
	return err
}
