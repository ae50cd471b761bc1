package main

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/socketio"
)

// agent is the User-Agent of the handshake.
var agent = engineio.NewKey[string]("user agent")

// callTimeout is how long a client may take to acknowledge.
const callTimeout = 10 * time.Second

func handlers(sio *socketio.Server) {
	for _, name := range []string{"/", "/custom"} {
		n := sio.Of(name)
		n.OnConnect(func(s *socketio.Socket) {
			var auth json.RawMessage
			if s.Auth(&auth) == nil {
				_ = s.Emit("auth", auth)
			}
		})
		n.On("message", func(s *socketio.Socket, args *socketio.Args) { _ = s.Emit("message-back", args.Values()...) })
		n.On("message-with-ack", func(_ *socketio.Socket, args *socketio.Args) { _ = args.Ack(args.Values()...) })
		rooms(n)
		calls(n)
	}
	guarded(sio.Of("/guarded"))
}

// rooms lets clients join rooms and send to them.
func rooms(n *socketio.Namespace) {
	n.On("join", func(s *socketio.Socket, args *socketio.Args) {
		var rooms []string
		if args.Scan(&rooms) == nil && s.Join(rooms...) == nil {
			_ = args.Ack(members(s))
		}
	})
	n.On("leave", func(s *socketio.Socket, args *socketio.Args) {
		var rooms []string
		if args.Scan(&rooms) == nil {
			s.Leave(rooms...)
			_ = args.Ack(members(s))
		}
	})
	type address struct {
		To, Except []string
		Self       bool // the sender is not left out
		Everybody  bool
	}
	n.On("send", func(s *socketio.Socket, args *socketio.Args) {
		var to address
		if args.Scan(&to) != nil {
			return
		}
		target := s.To(to.To...)
		switch {
		case to.Everybody && to.Self:
			target = n.Except()
		case to.Everybody:
			target = s.Broadcast()
		case to.Self:
			target = n.To(to.To...)
		}
		_ = target.Except(to.Except...).Emit("sent", args.Values()[1:]...)
		_ = args.Ack()
	})
}

// members are the rooms of a socket but its own.
func members(s *socketio.Socket) []string {
	rooms := s.Rooms()[1:]
	slices.Sort(rooms)
	return rooms
}

// calls lets clients be asked.
func calls(n *socketio.Namespace) {
	n.On("ask-me", func(s *socketio.Socket, args *socketio.Args) {
		ctx, cancel := context.WithTimeout(s.Context(), callTimeout)
		defer cancel()
		answer, err := s.Call(ctx, "question", args.Values()...)
		if err != nil {
			_ = s.Emit("no-answer", err.Error())
			return
		}
		_ = s.Emit("answered", answer.Values()...)
		_ = args.Ack(answer.Values()...)
	})
	socketio.Handle(n, "divide", func(_ *socketio.Socket, by [2]int) (int, error) {
		if by[1] == 0 {
			return 0, &socketio.Error{Message: "division by zero"}
		}
		return by[0] / by[1], nil
	})
	n.On("kick-me", func(s *socketio.Socket, args *socketio.Args) {
		var session bool
		_ = args.Scan(&session)
		s.Disconnect(session)
	})
	n.On("agent", func(s *socketio.Socket, args *socketio.Args) { _ = args.Ack(agent.Value(s.Session())) })
}

// guarded lets in who knows the password.
func guarded(n *socketio.Namespace) {
	n.Use(func(s *socketio.Socket) error {
		var auth struct{ Password string }
		if s.Auth(&auth) != nil || auth.Password != "sesame" {
			return &socketio.ConnectError{Message: "wrong password", Data: map[string]any{"tried": auth.Password}}
		}
		return nil
	})
	n.On("whoami", func(s *socketio.Socket, args *socketio.Args) { _ = args.Ack(s.ID()) })
}
