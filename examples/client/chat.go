package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/fasteio/engineio/client"
)

// request is what we say; see protocol.go of examples/chat.
type request struct {
	Type string `json:"type"`
	Nick string `json:"nick,omitempty"`
	Key  string `json:"key,omitempty"`
	Text string `json:"text,omitempty"`
}

// event is what the room says.
type event struct {
	Type     string    `json:"type"`
	User     user      `json:"user"`
	Was      string    `json:"was"`
	Message  message   `json:"message"`
	Users    []user    `json:"users"`
	Messages []message `json:"messages"`
	Code     string    `json:"code"`
	Text     string    `json:"text"`
}

type user struct {
	Nick string `json:"nick"`
}

type message struct {
	ID   uint64 `json:"id"`
	User user   `json:"user"`
	Text string `json:"text"`
	At   int64  `json:"at"` // milliseconds since 1970
}

// chat is what the terminal shows. Run's goroutine and the one that reads the input print.
type chat struct {
	nick string
	key  string // makes us the same person when we come back

	in      chan struct{} // closed when the room has let us in
	joined  bool
	newest  uint64 // the newest message shown: the room repeats the last ones to newcomers
	refused error

	mu  sync.Mutex
	out io.Writer
}

// hello begins every session.
func (c *chat) hello(context.Context) ([]client.Message, error) {
	data, err := json.Marshal(request{Type: "hello", Nick: c.nick, Key: c.key})
	return []client.Message{{Data: data}}, err
}

func (c *chat) show(conn *client.Client, m client.Message) {
	var e event
	if m.Binary || json.Unmarshal(m.Data, &e) != nil {
		return
	}
	switch e.Type {
	case "welcome":
		c.welcome(e)
	case "message":
		c.print(e.Message)
	case "join":
		c.note(e.User.Nick + " came in")
	case "leave":
		c.note(e.User.Nick + " left")
	case "rename":
		c.note(e.Was + " is now " + e.User.Nick)
	case "error":
		c.note(e.Text)
		if !c.joined || e.Code == "replaced" {
			c.refused = errors.New(e.Text)
			_ = conn.Close()
		}
	}
}

func (c *chat) welcome(e event) {
	for _, m := range e.Messages {
		c.print(m)
	}
	var names []string
	for _, u := range e.Users {
		names = append(names, u.Nick)
	}
	c.note("in the room: " + strings.Join(names, ", "))
	if !c.joined {
		c.joined = true
		close(c.in)
	}
}

func (c *chat) lost(a client.Attempt) error {
	if a.Number == 1 {
		c.note("connection lost: " + a.Err.Error())
	}
	c.note(fmt.Sprintf("attempt %d in %v", a.Number, a.Wait.Round(100*time.Millisecond)))
	return nil
}

func (c *chat) print(m message) {
	if m.ID <= c.newest {
		return
	}
	c.newest = m.ID
	c.line(fmt.Sprintf("%s %s: %s", time.UnixMilli(m.At).Format("15:04"), m.User.Nick, m.Text))
}

func (c *chat) note(text string) { c.line("-- " + text) }

// line prints one line. Names and messages come from strangers: nothing in them may move the cursor.
func (c *chat) line(text string) {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintln(c.out, text)
}
