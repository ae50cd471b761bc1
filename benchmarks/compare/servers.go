package main

// server is one that is measured.
type server struct {
	Name     string `json:"name"`
	Short    string `json:"short"` // for the picture; empty keeps it out
	Ours     bool   `json:"ours"`
	command  []string
	can      ability
	revision int  // 3, otherwise 4
	settles  bool // SIGUSR2 makes it collect its garbage
	tuned    bool // ours, on a server set by engineio.Tune
}

// servers are all there are, in the order of the tables. The first that can do a row is what the
// others are compared with. What is not installed, and flags that our echo server does not have,
// leave servers out, and the notes say so.
func (b *bench) servers() []server {
	echo, raw, gobwas, cast := b.bin("echo"), b.bin("rawfasthttp"), b.bin("rawgobwas"), b.bin("broadcast")
	all := []server{
		{Name: "raw fasthttp", Short: "raw fasthttp", command: []string{raw}, can: engine, settles: true},
		{Name: "raw fasthttp, batched writes", command: []string{raw, "-batch"}, can: engine, settles: true},
		{Name: "engineio on fasthttp", Short: "engineio, fasthttp", Ours: true, command: []string{echo, "-stack", "fasthttp"}, can: engine, settles: true},
		{Name: "engineio on Fiber", Short: "engineio, Fiber", Ours: true, command: []string{echo, "-stack", "fiber"}, can: engine, settles: true},
	}
	if b.tunable {
		all = append(all,
			server{Name: "engineio on fasthttp, tuned", Short: "engineio, tuned", Ours: true, command: []string{echo, "-stack", "fasthttp", "-tuned"}, can: engine, settles: true, tuned: true},
			server{Name: "engineio on Fiber, tuned", Ours: true, command: []string{echo, "-stack", "fiber", "-tuned"}, can: engine, settles: true, tuned: true})
	}
	if b.node != "" {
		all = append(all, server{Name: "node engine.io", Short: "node engine.io", command: []string{b.node, "--expose-gc", "peers/node/server.mjs"}, can: engine, settles: true})
	}
	all = append(all, server{Name: "googollee (revision 3)", Short: "googollee", command: []string{b.bin("googollee")}, can: engine, revision: 3, settles: true})
	if b.python != "" {
		all = append(all, server{Name: "python-engineio on aiohttp", Short: "python-engineio", command: []string{b.python, "-B", "peers/python/server.py"}, can: engine, settles: true})
	}
	return append(all,
		server{Name: "raw gws", command: []string{b.bin("rawgws")}, can: websocket, settles: true},
		server{Name: "raw gobwas", command: []string{gobwas}, can: websocket, settles: true},
		server{Name: "raw gobwas, batched writes", command: []string{gobwas, "-batch"}, can: websocket, settles: true},
		server{Name: "raw loop of writes", Short: "raw loop of writes", command: []string{cast, "-mode", "raw"}, can: broadcasting, settles: true},
		server{Name: "engineio Broadcast", Short: "engineio", Ours: true, command: []string{cast, "-mode", "engine"}, can: broadcasting, settles: true},
		server{Name: "engineio Broadcast, tuned", Short: "engineio, tuned", Ours: true, command: []string{cast, "-mode", "engine", "-tuned"}, can: broadcasting, settles: true, tuned: true},
	)
}

// about are the servers that can do a row and were asked for.
func (b *bench) about(r row) (some []server) {
	for _, s := range b.servers() {
		if s.can&r.needs != 0 && oneOf(b.o.servers, s.Name) {
			some = append(some, s)
		}
	}
	return some
}
