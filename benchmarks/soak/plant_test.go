package main

import (
	"os"
	"strings"
	"testing"

	"github.com/fasteio/engineio"
)

// plant is the variable that names what a server does wrong when it is to broadcast for the first time.
const plant = "SOAK_PLANT"

// planted does that.
func planted() func(engine *engineio.Server, p *engineio.PreparedMessage) {
	send := plants[os.Getenv(plant)]
	if send == nil {
		return (*engineio.Server).Broadcast
	}
	return func(engine *engineio.Server, p *engineio.PreparedMessage) {
		overtaken := held
		send(engine, p)
		if forgotten == nil {
			send = (*engineio.Server).Broadcast
		}
		if overtaken != nil {
			engine.Broadcast(overtaken)
			held = nil
		}
	}
}

var (
	held      *engineio.PreparedMessage // a broadcast that the next one overtakes
	forgotten *engineio.Session         // gets no broadcast at all
)

var plants = map[string]func(engine *engineio.Server, p *engineio.PreparedMessage){
	"drops a WebSocket": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		one(engine, engineio.WebSocket).CloseNow()
		engine.Broadcast(p)
	},
	"drops a poll": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		one(engine, engineio.Polling).CloseNow()
		engine.Broadcast(p)
	},
	"sends twice to a WebSocket": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		engine.Broadcast(p)
		_ = one(engine, engineio.WebSocket).SendPrepared(p)
	},
	"sends twice to a poll": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		engine.Broadcast(p)
		_ = one(engine, engineio.Polling).SendPrepared(p)
	},
	"leaves one out": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		allBut(one(engine, engineio.WebSocket), engine, p)
	},
	"forgets one": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		if forgotten == nil {
			forgotten = one(engine, engineio.Polling)
		}
		allBut(forgotten, engine, p)
	},
	"adds a message": func(engine *engineio.Server, p *engineio.PreparedMessage) {
		engine.Broadcast(p)
		_ = one(engine, engineio.Polling).SendText("hello")
	},
	"changes the order": func(_ *engineio.Server, p *engineio.PreparedMessage) { held = p },
	"dies":              func(*engineio.Server, *engineio.PreparedMessage) { os.Exit(3) },
}

func allBut(left *engineio.Session, engine *engineio.Server, p *engineio.PreparedMessage) {
	for s := range engine.Sessions() {
		if s != left {
			_ = s.SendPrepared(p)
		}
	}
}

// one is some session on that transport.
func one(engine *engineio.Server, via engineio.Transport) *engineio.Session {
	for s := range engine.Sessions() {
		if s.Transport() == via {
			return s
		}
	}
	panic("no session on " + via.String())
}

func TestABadServerIsFoundOut(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"drops a WebSocket":          "1 sessions lost, 0 packets wrong",
		"drops a poll":               "1 sessions lost, 0 packets wrong",
		"sends twice to a WebSocket": "0 sessions lost, 1 packets wrong",
		"sends twice to a poll":      "0 sessions lost, 1 packets wrong",
		"leaves one out":             "0 sessions lost, 1 packets wrong",
		"forgets one":                "0 sessions lost, 1 packets wrong",
		"adds a message":             "0 sessions lost, 1 packets wrong",
		"changes the order":          "0 sessions lost, 50 packets wrong", // for each of 25, one early and one late
		"dies":                       "server 0: Server.Broadcast: unexpected EOF",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := try(t, t.Context(), "-websockets 20 -polls 5 -duration 400ms -patience 200ms", plant+"="+name)
			if err == nil {
				err = r.verdict()
			}
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}
