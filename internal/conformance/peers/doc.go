// Package peers has WebSocket clients of others talk to echo servers of ours. It is a module of its own, so that
// those clients are no dependency of the engine's:
//
//	cd internal/conformance/peers && go test -race ./...
package peers
