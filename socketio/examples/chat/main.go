// Command chat is the chat of Socket.IO's tutorial: what one says all hear.
//
//	go run ./examples/chat
package main

import (
	_ "embed"

	"github.com/fasteio/engineio/socketio"
	"github.com/fasteio/engineio/socketio/examples/internal/web"
)

//go:embed index.html
var page []byte

func main() {
	sio := socketio.New(socketio.Config{})
	root := sio.Of("/")
	socketio.On(root, "chat message", func(_ *socketio.Socket, text string) {
		_ = root.Emit("chat message", text)
	})
	web.Main(sio, page)
}
