package socketio

import (
	"testing"
	"time"

	"github.com/fasteio/engineio"
)

func TestDefaults(t *testing.T) {
	c := New(Config{}).config
	if c.ConnectTimeout != 45*time.Second || c.MaxAttachments != 10 || c.MaxAttachmentBytes != c.Engine.MaxPayload || c.MaxPending != 1024 ||
		c.MaxPendingBytes != 1<<20 || c.MaxRooms != 1000 || c.Engine.Path != "/socket.io/" || len(c.Engine.Revisions) != 1 {
		t.Errorf("%+v", c)
	}
	if c := New(Config{MaxPending: 3, Engine: engineio.Config{MaxPayload: 5000}}).config; c.MaxPending != 3 || c.MaxAttachmentBytes != 5000 {
		t.Errorf("%+v", c)
	}
}

func TestNonsensePanics(t *testing.T) {
	engine := func(c engineio.Config) func() { return func() { New(Config{Engine: c}) } }
	n := New(Config{}).Of("/")
	n.On("twice", func(*Socket, *Args) {})
	n.OnConnect(func(*Socket) {})
	serving := New(Config{})
	serving.serving.Store(true)
	for name, f := range map[string]func(){
		"OnMessage":             engine(engineio.Config{OnMessage: func(*engineio.Session, engineio.Message) {}}),
		"OnConnect":             engine(engineio.Config{OnConnect: func(*engineio.Session) {}}),
		"MaxConcurrentMessages": engine(engineio.Config{MaxConcurrentMessages: 2}),
		"revision 3":            engine(engineio.Config{Revisions: []engineio.Revision{engineio.V4, engineio.V3}}),
		"ConnectTimeout":        func() { New(Config{ConnectTimeout: -1}) },
		"MaxPending":            func() { New(Config{MaxPending: -1}) },
		"MaxRooms":              func() { New(Config{MaxRooms: -1}) },
		"no slash":              func() { New(Config{}).Of("custom") },
		"comma":                 func() { New(Config{}).Of("/a,b") },
		"control":               func() { New(Config{}).Of("/a\x1e") },
		"query":                 func() { New(Config{}).Of("/a?b") },
		"twice":                 func() { n.On("twice", func(*Socket, *Args) {}) },
		"connect twice":         func() { n.OnConnect(func(*Socket) {}) },
		"reserved":              func() { n.On("disconnect", func(*Socket, *Args) {}) },
		"late namespace":        func() { serving.Of("/late") },
		"late handler":          func() { serving.Of("/").On("late", func(*Socket, *Args) {}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}

// MaxAttachmentBytes is for a packet, MaxPendingBytes for what waits: one event always fits.
func TestBounds(t *testing.T) {
	config := Config{MaxAttachmentBytes: 10, MaxPendingBytes: 1}
	s := serve(t, config, echo)
	c := dial(t, s)
	c.join("/")
	for range 3 {
		c.send(`52-1["with-ack",{"_placeholder":true,"num":0}]`)
		c.sendBinary(1, 2, 3, 4, 5)
		c.sendBinary(6, 7, 8, 9, 10)
		c.want(`61-1[{"_placeholder":true,"num":0}]`, "b\x01\x02\x03\x04\x05")
	}
	for range 20 {
		c.send(`2["message","long enough to wait alone"]`)
	}
	for range 20 {
		c.want(`2["message-back","long enough to wait alone"]`)
	}
	c.send(`52-1["with-ack"]`)
	c.sendBinary(1, 2, 3, 4, 5)
	c.sendBinary(6, 7, 8, 9, 10, 11)
	c.ended()
}
