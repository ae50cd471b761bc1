package main

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fasteio/engineio/benchmarks/internal/stamp"
)

// audience listens to broadcasts.
type audience struct {
	o        *options
	m        *meter
	size     int64 // sessions that listen
	received atomic.Int64
	due      atomic.Int64  // deliveries that end the round
	complete chan struct{} // has room for one
}

// broadcastRun has the server broadcast, again and again, and counts what arrives. A round begins
// when all of the one before has arrived; its delay is from the request to the last delivery.
func broadcastRun(o *options, m *meter) error {
	m.what = "deliveries"
	sessions := openAll(o, m)
	a := &audience{o: o, m: m, complete: make(chan struct{}, 1)}
	var stop atomic.Bool
	var wg sync.WaitGroup
	for i, s := range sessions {
		if s == nil {
			continue
		}
		a.size++
		wg.Go(func() {
			if err := a.listen(s); !stop.Load() {
				m.fault(i, err)
			}
		})
	}
	if a.size == 0 {
		return errors.New("no session could be opened: " + m.faults[0])
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		if err := a.rounds(&stop); err != nil {
			m.fault(-1, err)
			m.lost.Add(a.due.Load() - a.received.Load())
			close(over)
		}
	}()
	err := m.measure(over)
	stop.Store(true)
	<-ended
	for _, s := range sessions {
		if s != nil {
			s.drop()
		}
	}
	wg.Wait()
	return err
}

// rounds asks for broadcasts until it is told to stop.
func (a *audience) rounds(stop *atomic.Bool) error {
	d := &dialer{host: a.o.host, sources: 1, timeout: a.o.timeout}
	w, err := d.connect(firstBuffer)
	if err != nil {
		return err
	}
	defer w.Close()
	for first := 0; !stop.Load(); first += a.o.pipeline {
		began := now()
		deliveries := a.size * int64(a.o.pipeline)
		a.due.Add(deliveries)
		_ = w.SetDeadline(time.Now().Add(a.o.timeout))
		if _, err := fmt.Fprintf(w, "POST /broadcast?bytes=%d&count=%d&first=%d HTTP/1.1\r\nHost: %s\r\nContent-Length: 0\r\n\r\n",
			a.o.size, a.o.pipeline, first, a.o.host); err != nil {
			return err
		}
		if _, err := w.response(200); err != nil {
			return err
		}
		select {
		case <-a.complete:
		case <-time.After(a.o.timeout):
			return fmt.Errorf("%w: a broadcast has not reached all in %v", errTimeout, a.o.timeout)
		}
		a.round(began, now(), deliveries)
	}
	return nil
}

// round records one delay for all deliveries of a round, and counts each of them.
func (a *audience) round(began, ended, deliveries int64) {
	a.m.record(0, ended, ended-began, 1)
	a.m.count(0, ended, deliveries-1)
}

// listen checks what one session receives, until its connection ends.
func (a *audience) listen(s *session) error {
	check := stamp.NewChecker(0, a.o.size)
	for {
		n := int64(0)
		for {
			op, payload, ok, err := s.ws.next()
			if err != nil {
				return err
			}
			if !ok {
				break
			}
			message, err := a.packet(s, check, op, payload)
			if err != nil {
				return err
			}
			if message {
				n++
			}
		}
		if n > 0 && a.received.Add(n) == a.due.Load() {
			a.complete <- struct{}{}
		}
		if err := s.ws.fill(); err != nil {
			return err
		}
	}
}

// packet deals with one message or control frame.
func (a *audience) packet(s *session, check *stamp.Checker, op byte, payload []byte) (message bool, err error) {
	switch {
	case op >= opClose:
		return false, s.ws.control(op, payload)
	case len(payload) > 0 && payload[0] == '4':
		if err := check.Check(payload[1:]); err != nil {
			return false, wrong{err}
		}
		return true, nil
	case string(payload) == "2":
		_, err := s.ws.Write(appendFrame(nil, opText, []byte("3")))
		return false, err
	}
	return false, nil
}
