// Package chaos has no code, only a test: clients on every transport and revision that misbehave in every way we
// know, some that behave, and servers on fasthttp and Fiber that owe each of them what the README guarantees.
//
//	go test -race -v -run Chaos ./internal/chaos -chaos.seed 1 -chaos.duration 3m -chaos.clients 300
//
// The same seed gives the same script to the same visit of the same client: server, revision, transport, messages and
// their sizes, misdeed, and the way it leaves. What the interleaving makes of it is the machine's, so a replay
// repeats the actions and not the schedule.
//
// Both ends check every message: its owner, its order, that it comes once and whole. Of every session the test
// knows which reasons fit what was done to it. A session whose client kept the rules, or broke them in a way that
// must not matter, ends with everything delivered and with the reason its script chose. When all have left, nothing
// may be left of them: sessions, goroutines, file descriptors, memory.
package chaos
