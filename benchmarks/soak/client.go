package main

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// A Client holds the sessions of one client process. Its exported methods are called by the parent.
type Client struct {
	settings ClientSettings
	judge    *judge
	faults   faults
	inbox    inbox
	alive    atomic.Int64 // sessions
	pings    atomic.Int64 // that have been answered
	closing  atomic.Bool
	holding  sync.WaitGroup

	mu       sync.Mutex
	sessions []*session
}

// ClientSettings are those of one run.
type ClientSettings struct {
	Addr                      string
	Began                     time.Duration // when the run did, of now
	First                     int           // number of the first session, among those of all clients
	Dials                     int           // connections being opened at a time
	Bytes                     int           // size of a broadcast
	PingInterval, PingTimeout time.Duration
}

// Start must be the first call.
func (c *Client) Start(settings ClientSettings, _ *struct{}) error {
	if c.judge != nil {
		return errors.New("started twice")
	}
	c.settings, c.judge = settings, newJudge(settings.Bytes)
	c.faults.began = settings.Began
	c.inbox.delay = hdrhistogram.New(1, longest.Microseconds(), 3)
	go c.sweep()
	return nil
}

// Wanted is how many sessions to open.
type Wanted struct{ WebSockets, Polls int }

// Open opens sessions, some at a time, and returns when all are open. One that cannot be opened ends it.
func (c *Client) Open(w Wanted, _ *struct{}) error {
	before := c.list()
	return some(w.WebSockets+w.Polls, c.settings.Dials, func(i int) error {
		s, err := c.open(c.settings.First+len(before)+i, i >= w.WebSockets)
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.sessions = append(c.sessions, s)
		c.mu.Unlock()
		c.alive.Add(1)
		c.holding.Go(func() { c.ended(s, s.hold()) })
		return nil
	})
}

// list is the sessions that have been opened.
func (c *Client) list() []*session {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sessions
}

// ended takes note of a session's end; err is nil when it was the one asked for.
func (c *Client) ended(s *session, err error) {
	if !s.over.CompareAndSwap(false, true) {
		return
	}
	c.alive.Add(-1)
	switch {
	case err == nil:
	case c.closing.Load():
		c.faults.lost("%v, at its goodbye: %v", s, err)
	default:
		c.faults.lost("%v: %v", s, err)
	}
	s.conn.Close()
	close(s.ended)
}

// sweep ends sessions that have had no ping for so long that any client would give up.
func (c *Client) sweep() {
	patience := c.settings.PingInterval + c.settings.PingTimeout
	for range time.Tick(min(time.Second, patience/8)) {
		for _, s := range c.list() {
			if silence := now() - time.Duration(s.heard.Load()); silence > patience && !c.closing.Load() {
				c.ended(s, errors.New("no ping for "+silence.String()))
			}
		}
	}
}

// ClientState is what a client knows.
type ClientState struct {
	Alive, Pings int64
	Faults       Faults
	Received     []Received // by broadcast
}

// State tells it.
func (c *Client) State(_ struct{}, state *ClientState) error {
	*state = ClientState{c.alive.Load(), c.pings.Load(), c.faults.read(), c.inbox.read()}
	return nil
}

// Check notes the sessions that have not had so many broadcasts, and returns what broadcasts took to arrive.
func (c *Client) Check(broadcasts uint64, delay *hdrhistogram.Snapshot) error {
	for _, s := range c.list() {
		if next := s.next.Load(); next < broadcasts && !s.over.Load() {
			c.faults.wrong("%v: broadcasts from %d to %d are missing", s, next, broadcasts-1)
		}
	}
	*delay = c.inbox.snapshot()
	return nil
}

// Close ends all sessions in good order, some at a time.
func (c *Client) Close(_ struct{}, _ *struct{}) error {
	c.closing.Store(true)
	sessions := c.list()
	err := some(len(sessions), c.settings.Dials, func(i int) error {
		if !sessions[i].over.Load() {
			sessions[i].goodbye()
		}
		return nil
	})
	c.holding.Wait()
	c.mu.Lock()
	c.sessions = nil
	c.mu.Unlock()
	c.closing.Store(false)
	return err
}

// some does n things, as many at a time as that, until one fails.
func some(n, atOnce int, do func(i int) error) error {
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var wg sync.WaitGroup
	for range min(n, atOnce) {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				if err := do(i); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}
