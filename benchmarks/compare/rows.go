package main

import (
	"fmt"
	"strings"
)

// ability is what a server can do.
type ability uint8

const (
	websocket ability = 1 << iota
	polling
	upgrading
	broadcasting

	engine = websocket | polling | upgrading
)

// row is one measurement, made with every server that has the ability.
type row struct {
	Name  string   `json:"name"`
	Title string   `json:"title"` // for people
	Args  []string `json:"args"`  // of the load generator
	Per   string   `json:"per"`   // what a million of is paid for
	needs ability
	kind  kind
}

// kind chooses the columns of a row's table.
type kind uint8

const (
	latency kind = iota // of messages and handshakes
	memory              // of idle sessions
	fanout              // broadcasts
)

// The numbers are those of peers.md: enough clients to keep both processors busy, and no more
// sessions than a process may have files on a usual system.
var rows = []row{
	{"ws-pingpong", "WebSocket, one message at a time", args("-transport websocket -clients 50 -size 64 -pipeline 1"), "messages", websocket, latency},
	{"ws-stream", "WebSocket, 64 messages under way", args("-transport websocket -clients 50 -size 64 -pipeline 64"), "messages", websocket, latency},
	{"ws-16k", "WebSocket, 16 KiB messages", args("-transport websocket -clients 50 -size 16384 -pipeline 8"), "messages", websocket, latency},
	{"poll-pingpong", "Long-polling, one message at a time", args("-transport polling -clients 50 -size 64 -pipeline 1"), "messages", polling, latency},
	{"poll-batch", "Long-polling, 64 messages a request", args("-transport polling -clients 50 -size 64 -pipeline 64"), "messages", polling, latency},
	{"conn-ws", "Sessions opened and closed, WebSocket", args("-connect -transport websocket -clients 32"), "handshakes", websocket, latency},
	{"conn-poll", "Sessions opened and closed, long-polling", args("-connect -transport polling -clients 32"), "handshakes", polling, latency},
	{"conn-upgrade", "Sessions opened, upgraded and closed", args("-connect -transport upgrade -clients 500"), "handshakes", upgrading, latency},
	{"idle-ws", "Memory of an idle WebSocket", args("-idle -transport websocket -clients 5000"), "sessions", websocket, memory},
	{"idle-poll", "Memory of a parked poll", args("-idle -transport polling -clients 5000"), "sessions", polling, memory},
	{"broadcast", "Broadcast of 256 bytes to 5,000", args("-broadcast -clients 5000 -size 256"), "deliveries", broadcasting, fanout},
}

func args(line string) []string { return strings.Fields(line) }

func rowNames() string {
	var names []string
	for _, r := range rows {
		names = append(names, r.Name)
	}
	return strings.Join(names, ", ")
}

// selectRows are the rows of a comma-separated list, all if it is empty.
func selectRows(list string) ([]row, error) {
	if list == "" {
		return rows, nil
	}
	var selected []row
	for name := range strings.SplitSeq(list, ",") {
		found := false
		for _, r := range rows {
			if r.Name == strings.TrimSpace(name) {
				selected, found = append(selected, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("no row %q, there are %s", name, rowNames())
		}
	}
	return selected, nil
}
