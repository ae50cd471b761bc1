// Package abuse attacks a server of the engine's, in a process of its own, and looks whether it is the same
// afterwards: whether a normal client is served, every session and connection has gone, and memory is back.
//
//	go test -race ./internal/abuse                  every attack, small: part of make test
//	go test ./internal/abuse -abuse.full -v         100,000 handshakes and the like, with a table of figures
//
// It has tests only.
package abuse
