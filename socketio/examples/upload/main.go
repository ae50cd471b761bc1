// Command upload takes a file in parts: each is acknowledged, which is the progress, and the next is sent after it.
//
//	go run ./examples/upload
package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"hash"

	"github.com/fasteio/engineio/socketio"
	"github.com/fasteio/engineio/socketio/examples/internal/web"
)

//go:embed index.html
var page []byte

// maxSize bounds a file.
const maxSize = 1 << 30

// An upload is the file that a socket sends. Its handlers run one at a time, so it needs no lock.
type upload struct {
	size, got int64
	sum       hash.Hash
}

var current = socketio.NewKey[*upload]("upload")

func main() {
	sio := socketio.New(socketio.Config{})
	root := sio.Of("/")
	socketio.Handle(root, "begin", func(s *socketio.Socket, size int64) (bool, error) {
		if size < 0 || size > maxSize {
			return false, &socketio.Error{Message: "a file of 1 GiB at most, please"}
		}
		current.Set(s, &upload{size: size, sum: sha256.New()})
		return true, nil
	})
	socketio.Handle(root, "part", func(s *socketio.Socket, part []byte) (int64, error) {
		u := current.Value(s)
		if u == nil || u.got+int64(len(part)) > u.size {
			return 0, &socketio.Error{Message: "not begun, or longer than was said"}
		}
		u.sum.Write(part) // a real one would be written to its place
		u.got += int64(len(part))
		return u.got, nil
	})
	socketio.Handle(root, "end", func(s *socketio.Socket, _ struct{}) (string, error) {
		u := current.Value(s)
		if u == nil || u.got != u.size {
			return "", &socketio.Error{Message: "parts are missing"}
		}
		current.Set(s, nil)
		return hex.EncodeToString(u.sum.Sum(nil)), nil
	})
	web.Main(sio, page)
}
