package main

import (
	"errors"
	"sync"
	"sync/atomic"
)

// client plays messages with the server.
type client interface {
	// play returns when the run is over and all messages are back, or with what went wrong.
	play() error
	base() *player
}

// echoRun has every client send messages and check their echoes.
func echoRun(o *options, m *meter) error {
	sessions := openAll(o, m)
	var stop atomic.Bool
	e := &ensemble{o: o, m: m, stop: &stop}
	e.gather(sessions)
	if len(e.clients) == 0 {
		return errors.New("no session could be opened: " + m.faults[0])
	}
	err := e.play()
	sayGoodbye(o, m, sessions)
	return err
}

// ensemble is all clients of an echo run.
type ensemble struct {
	o        *options
	m        *meter
	stop     *atomic.Bool
	clients  []client
	senders  []sender // of the open loop
	schedule *schedule
	lanes    []*lane
}

// gather makes a client of every session.
func (e *ensemble) gather(sessions []*session) {
	open := 0
	for _, s := range sessions {
		if s != nil {
			open++
		}
	}
	if e.o.rate > 0 {
		e.schedule = newSchedule(e.o.rate, open)
		e.lanes = newLanes(e.o, e.m, open)
	}
	for i, s := range sessions {
		if s == nil {
			continue
		}
		p := &player{id: i, m: e.m, stop: e.stop, conns: s.conns()}
		switch {
		case e.o.rate == 0 && s.ws != nil:
			e.clients = append(e.clients, newPipe(e.o, s, p))
		case e.o.rate == 0:
			e.clients = append(e.clients, newLaps(e.o, s, p))
		case s.ws != nil:
			c := newPaced(e.o, s, p, e.schedule, len(e.clients))
			e.clients, e.senders = append(e.clients, c), append(e.senders, c)
		default:
			c := newPolled(e.o, s, p, e.schedule, len(e.clients), e.lanes)
			e.clients, e.senders = append(e.clients, c), append(e.senders, c)
		}
	}
}

// play runs the clients and measures.
func (e *ensemble) play() error {
	players := make([]*player, len(e.clients))
	for i, c := range e.clients {
		players[i] = c.base()
	}
	over, watched := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(watched)
		watch(players, e.o.timeout, over)
	}()
	var wg sync.WaitGroup
	for _, c := range e.clients {
		wg.Go(func() { c.base().end(c.play()) })
	}
	go func() {
		wg.Wait()
		close(over)
	}()
	paced := make(chan struct{})
	go func() {
		defer close(paced)
		if e.schedule != nil {
			e.pace()
		}
	}()
	err := e.m.measure(over)
	e.stop.Store(true)
	<-paced
	<-watched
	return err
}

// pace sends what the schedule says, and waits for what is then still under way.
func (e *ensemble) pace() {
	e.schedule.start.Store(now())
	(&pacer{e.schedule, e.senders}).run(e.stop)
	finish(e.senders)
	for _, l := range e.lanes {
		close(l.jobs)
		<-l.done
	}
}

// sayGoodbye ends the sessions, which is after the measured time. After faults it would only repeat
// them, and where a poll is waiting its connection has no room for it.
func sayGoodbye(o *options, m *meter, sessions []*session) {
	silent := m.failed.Load()+m.timeouts.Load()+m.mismatched.Load() > 0 || o.transport == "polling" && o.rate > 0
	for _, s := range sessions {
		switch {
		case s == nil:
		case !silent:
			_ = s.goodbye(o.timeout)
		default:
			s.drop()
		}
	}
}
