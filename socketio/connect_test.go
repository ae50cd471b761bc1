package socketio

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/internal/enginetest"
)

func echo(sio *Server) {
	for _, name := range []string{"/", "/custom"} {
		n := sio.Of(name)
		n.On("message", func(s *Socket, args *Args) { _ = s.Emit("message-back", args.Values()...) })
		n.On("with-ack", func(_ *Socket, args *Args) { _ = args.Ack(args.Values()...) })
	}
}

func TestConnect(t *testing.T) {
	for _, way := range enginetest.Ways {
		t.Run(string(way), func(t *testing.T) {
			t.Parallel()
			s := serve(t, Config{}, echo)
			c := dialBy(t, s, way)
			ids := c.join("/", "/custom")
			if ids[0] == ids[1] || len(ids[0]) != 20 || ids[0] == c.Handshake().SID {
				t.Errorf("the ids are %q, the session's %q", ids, c.Handshake().SID)
			}
			c.send(`0/random`)
			c.want(`4/random,{"message":"Invalid namespace"}`)
			c.send(`2["message",1,"2",{"3":[true]}]`, `20["with-ack"]`)
			c.want(`2["message-back",1,"2",{"3":[true]}]`, `30[]`)
			c.send(`2/custom,["message"]`, `2/custom,7["with-ack",null]`)
			c.want(`2/custom,["message-back"]`, `3/custom,7[null]`)
			c.send(`52-/custom,1["with-ack",{"_placeholder":true,"num":0},{"a":[{"_placeholder":true,"num":1}]}]`)
			c.sendBinary(1, 2, 3)
			c.sendBinary(4)
			c.want(`62-/custom,1[{"_placeholder":true,"num":0},{"a":[{"_placeholder":true,"num":1}]}]`, "b\x01\x02\x03", "b\x04")
			c.send(`1/custom,`, `2["message"]`)
			c.want(`2["message-back"]`)
			c.join("/custom")
			c.send(`2/custom,["message"]`)
			c.want(`2/custom,["message-back"]`)
		})
	}
}

// What a client may not send ends its session, and no other.
func TestConnectRules(t *testing.T) {
	for name, texts := range map[string][]string{
		"event without a namespace": {`2["message"]`},
		"event elsewhere":           {`0`, `2/custom,["message"]`},
		"event after leaving":       {`0`, `1`, `2["message"]`},
		"connected twice":           {`0`, `0`},
		"connect error":             {`0`, `4{"message":"x"}`},
		"unknown type":              {`0`, `abc`},
		"malformed":                 {`0`, `2{}`},
		"text amid attachments":     {`0`, `51-["a"]`, `2["message"]`},
		"too many attachments":      {`0`, `511-["a"]`},
		"left while connecting":     {`0/slow,`, `1/slow,`},
		"event while connecting":    {`0/slow,`, `2/slow,["message"]`},
		"connected while it does":   {`0/slow,`, `0/slow,`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hold := make(chan struct{})
			defer close(hold)
			s := serve(t, Config{}, func(sio *Server) {
				echo(sio)
				sio.Of("/slow").Use(func(*Socket) error { <-hold; return nil })
			})
			other := dial(t, s)
			other.join("/")
			c := dial(t, s)
			for i, text := range texts {
				c.send(text)
				if text == "0" && i == 0 {
					c.next()
				}
			}
			c.ended()
			other.send(`2["message"]`)
			other.want(`2["message-back"]`)
		})
	}
}

func TestBinaryOutOfPlace(t *testing.T) {
	c := dial(t, serve(t, Config{}, echo))
	c.join("/")
	c.sendBinary(1)
	c.ended()
}

func TestConnectTimeout(t *testing.T) {
	s := serve(t, Config{ConnectTimeout: 50 * time.Millisecond}, echo)
	member := dial(t, s)
	member.join("/")
	dial(t, s).ended()
	member.send(`2["message"]`)
	member.want(`2["message-back"]`)
}

func TestAuthAndMiddleware(t *testing.T) {
	type auth struct{ Token string }
	s := serve(t, silent(), func(sio *Server) {
		n := sio.Of("/")
		var asked atomic.Int32
		n.Use(func(s *Socket) error {
			asked.Add(1)
			if err := s.Emit("too early"); !errors.Is(err, ErrNotConnected) {
				t.Errorf("a send in middleware: %v", err)
			}
			return s.Join("lobby")
		})
		n.Use(func(s *Socket) error {
			if asked.Load() == 0 {
				t.Error("the second middleware is asked first")
			}
			var a auth
			if err := s.Auth(&a); err != nil {
				return err
			}
			switch a.Token {
			case "right":
				return nil
			case "panic":
				panic("middleware")
			case "data":
				return fmt.Errorf("wrapped: %w", &ConnectError{"wrong", map[string]any{"try": 1}})
			case "leave":
				s.Disconnect(false)
				return nil
			}
			return &ConnectError{Message: "wrong"}
		})
		n.OnConnect(func(s *Socket) { _ = s.Emit("rooms", len(s.Rooms()), s.In("lobby")) })
		n.OnDisconnect(func(s *Socket, r Reason) {
			var a auth
			if _ = s.Auth(&a); a.Token != "right" {
				t.Errorf("OnDisconnect for a socket that was refused: %v", r)
			}
		})
	})
	c := dial(t, s)
	for _, step := range [][2]string{
		{`0`, `4{"message":"wrong"}`},
		{`0{"token":"data"}`, `4{"message":"wrong","data":{"try":1}}`},
		{`0{"token":"panic"}`, `4{"message":"internal error"}`},
		{`0{"token":7}`, `4{"message":"internal error"}`},
		{`0{"token":"leave"}`, `4{"message":"internal error"}`},
	} {
		c.send(step[0])
		c.want(step[1])
	}
	c.send(`0{"token":"right"}`)
	c.next()
	c.want(`2["rooms",2,true]`)
}

func TestRevision3IsRefused(t *testing.T) {
	s := serve(t, Config{}, echo)
	_, err := enginetest.Dial(s, enginetest.Setup{Revision: engineio.V3, Path: "/socket.io/"})
	var status *enginetest.StatusError
	if !errors.As(err, &status) || status.Status != 400 || string(status.Body) != `{"code":5,"message":"Unsupported protocol version"}` {
		t.Error(err)
	}
}

// Names of an engine's handshake are found by the engine's keys.
func TestHandshakeDetails(t *testing.T) {
	query := engineio.NewKey[string]("query")
	config := Config{}
	config.Engine.OnHandshake = handshakeQuery(query)
	s := serve(t, config, func(sio *Server) {
		sio.Of("/").OnConnect(func(s *Socket) { _ = s.Emit("query", query.Value(s.Session())) })
	})
	c := &client{t, enginetest.Connect(t, s, enginetest.Setup{Way: enginetest.ByWebSocket, Path: "/socket.io/", Query: "room=7"})}
	c.join("/")
	c.want(`2["query","7"]`)
}
