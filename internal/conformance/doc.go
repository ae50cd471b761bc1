// Package conformance has no code, only tests: what the Autobahn suite checks of a WebSocket server, case by case,
// and WebSocket clients of others against whole echo servers on fasthttp and Fiber. Clients that are no dependency
// of ours are in the module below, peers.
package conformance
