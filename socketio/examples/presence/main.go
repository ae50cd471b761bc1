// Command presence has rooms that show who is in them.
//
//	go run ./examples/presence
package main

import (
	_ "embed"
	"slices"
	"unicode/utf8"

	"github.com/fasteio/engineio/socketio"
	"github.com/fasteio/engineio/socketio/examples/internal/web"
)

//go:embed index.html
var page []byte

var (
	name = socketio.NewKey[string]("name")
	room = socketio.NewKey[string]("room")
)

// maxName is the longest name of a person or a room, in characters.
const maxName = 30

func main() {
	sio := socketio.New(socketio.Config{})
	root := sio.Of("/")
	root.Use(func(s *socketio.Socket) error {
		var auth struct{ Name string }
		if err := s.Auth(&auth); err != nil || !isName(auth.Name) {
			return &socketio.ConnectError{Message: "a name of 1 to 30 characters, please"}
		}
		name.Set(s, auth.Name)
		return nil
	})
	socketio.Handle(root, "enter", func(s *socketio.Socket, to string) ([]string, error) {
		if !isName(to) {
			return nil, &socketio.Error{Message: "a room has a name of 1 to 30 characters"}
		}
		leave(s)
		room.Set(s, to)
		if err := s.Join(to); err != nil {
			return nil, err
		}
		tell(root, to)
		return members(root, to), nil
	})
	socketio.On(root, "say", func(s *socketio.Socket, text string) {
		if in := room.Value(s); in != "" {
			_ = root.To(in).Emit("said", name.Value(s), text)
		}
	})
	root.OnDisconnect(func(s *socketio.Socket, _ socketio.Reason) { leave(s) })
	web.Main(sio, page)
}

func isName(s string) bool { return s != "" && utf8.RuneCountInString(s) <= maxName }

// leave takes a socket out of its room, and tells those who stay.
func leave(s *socketio.Socket) {
	if in := room.Value(s); in != "" {
		s.Leave(in)
		tell(s.Namespace(), in)
	}
}

// tell tells a room who is in it.
func tell(n *socketio.Namespace, in string) { _ = n.To(in).Emit("present", members(n, in)) }

func members(n *socketio.Namespace, in string) []string {
	names := []string{}
	for s := range n.To(in).Sockets() {
		names = append(names, name.Value(s))
	}
	slices.Sort(names)
	return names
}
