// Package enginetest has both ends that behaviour tests of the engine need: HTTP servers on
// loopback, and clients that speak both revisions by long-polling and WebSocket and hide nothing.
//
// It knows the protocol from package codec and nothing of the engine: tests hand it handlers.
// Whatever it waits for is bounded by Patience, so a test that hangs says where.
package enginetest

import "time"

// Patience is how long anything may take before a test fails. It bounds the life of every
// connection a client opens.
const Patience = 60 * time.Second
