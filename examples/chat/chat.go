package main

import (
	"sync"
	"time"

	"github.com/fasteio/engineio"
)

// chat joins the room to the engine: it knows who sits behind which session, keeps everything in one
// order, and delivers.
type chat struct {
	mu    sync.Mutex // guards all below, and the fields of every visitor but limit
	room  *room
	seats map[*member]*engineio.Session
	after []func() // what unlock does once mu is free: closing a session comes back into onDisconnect
}

// visitor is what the chat keeps per session.
type visitor struct {
	limit  limiter
	member *member // nil before hello
}

var visitorKey = engineio.NewKey[*visitor]("visitor")

func newChat() *chat {
	return &chat{room: newRoom(time.Now()), seats: make(map[*member]*engineio.Session)}
}

func (c *chat) config() engineio.Config {
	return engineio.Config{
		MaxPayload:   maxPayload,
		OnConnect:    func(s *engineio.Session) { visitorKey.Set(s, new(visitor)) },
		OnMessage:    c.onMessage,
		OnUpgrade:    c.onUpgrade,
		OnDisconnect: c.onDisconnect,
	}
}

func (c *chat) onMessage(s *engineio.Session, m engineio.Message) {
	v, ok := visitorKey.Get(s)
	if !ok {
		return
	}
	var r request
	err := error(errTooFast)
	switch {
	case m.Binary:
		err = errBinary
	case v.limit.allow(time.Now()):
		if r, err = parse(m.Data); err == nil {
			err = c.handle(s, v, r)
		}
	}
	if err != nil {
		_ = s.SendText(encode(refused(err, r.Ref))) // who is gone needs no answer
	}
}

func (c *chat) handle(s *engineio.Session, v *visitor, r request) error {
	c.mu.Lock()
	defer c.unlock()
	switch {
	case r.Type == "hello":
		return c.hello(s, v, r)
	case r.Type != "nick" && r.Type != "message" && r.Type != "typing":
		return errUnknownType
	case v.member == nil:
		return errNoHello
	}
	switch m := v.member; r.Type {
	case "nick":
		was, err := c.room.rename(m, r.Nick)
		if err != nil || was == m.Nick {
			return err
		}
		c.tell(event{Type: "rename", At: time.Now().UnixMilli(), User: &m.user, Was: was}, nil)
	case "message":
		said, err := c.room.say(m, r.Text, r.Ref, time.Now())
		if err != nil {
			return err
		}
		c.tell(event{Type: "message", Message: &said}, nil)
	case "typing":
		c.tell(event{Type: "typing", User: &m.user}, m)
	}
	return nil
}

func (c *chat) hello(s *engineio.Session, v *visitor, r request) error {
	if v.member != nil {
		return errHelloTwice
	}
	was := ""
	if m := c.room.members[r.Key]; m != nil {
		was = m.Nick
	}
	m, again, err := c.room.join(r.Key, r.Nick, s.Transport().String())
	if err != nil {
		return err
	}
	now := time.Now().UnixMilli()
	if old := c.seats[m]; again {
		if o, ok := visitorKey.Get(old); ok {
			o.member = nil
		}
		_ = old.SendText(encode(refused(errReplaced, "")))
		c.after = append(c.after, old.Close)
	}
	v.member, c.seats[m] = m, s
	c.send(s, engineio.PrepareText(encode(event{
		Type: "welcome", At: now, User: &m.user, Users: c.room.users(), Messages: c.room.history,
		Limits: &limits{Nick: maxNick, Text: maxText},
	})))
	switch {
	case !again:
		c.tell(event{Type: "join", At: now, User: &m.user}, m)
	case was != m.Nick:
		c.tell(event{Type: "rename", At: now, User: &m.user, Was: was}, m)
	default:
		c.tell(event{Type: "transport", User: &m.user}, m)
	}
	return nil
}

// onUpgrade shows the others that somebody is on a better transport now.
func (c *chat) onUpgrade(s *engineio.Session) {
	v, ok := visitorKey.Get(s)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.unlock()
	if m := v.member; m != nil {
		m.Transport = s.Transport().String()
		c.tell(event{Type: "transport", User: &m.user}, nil)
	}
}

func (c *chat) onDisconnect(s *engineio.Session, why *engineio.CloseError) {
	v, ok := visitorKey.Get(s)
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.unlock()
	m := v.member
	if m == nil {
		return // never said hello, or goes on over another session
	}
	v.member = nil
	delete(c.seats, m)
	c.room.leave(m)
	c.tell(event{Type: "leave", At: time.Now().UnixMilli(), User: &m.user, Reason: why.Reason.String()}, nil)
}

// history returns the last messages, and how many people are here.
func (c *chat) history() (messages []message, online int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]message{}, c.room.history...), len(c.seats)
}

// tell encodes e once and hands it to everybody in the room but one. Sending only queues, so doing it
// under the lock costs little and gives all the same order.
func (c *chat) tell(e event, but *member) {
	p := engineio.PrepareText(encode(e))
	for m, s := range c.seats {
		if m != but {
			c.send(s, p)
		}
	}
}

// send gives up on a client that does not read what it is sent: it would miss something and not know.
func (c *chat) send(s *engineio.Session, p *engineio.PreparedMessage) {
	if s.SendPrepared(p) != nil {
		c.after = append(c.after, s.CloseNow)
	}
}

func (c *chat) unlock() {
	after := c.after
	c.after = nil
	c.mu.Unlock()
	for _, f := range after {
		f()
	}
}
