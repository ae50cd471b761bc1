// Package client connects to Engine.IO servers of revision 4 and 3, whoever wrote them.
//
// A client begins with HTTP long-polling and moves to WebSocket when the way to the server lets it;
// Options.Transports choose either alone.
//
//	c, err := client.Dial(ctx, "https://example.com/engine.io/", nil)
//	if err != nil {
//		return err
//	}
//	defer c.Close()
//	if err := c.SendText(ctx, "hello"); err != nil {
//		return err
//	}
//	m, err := c.Read(ctx)
//
// Read pulls messages one by one; Run calls a Handler instead. Use one of the two. All methods may
// be called from any goroutine.
//
// # Ownership of bytes
//
// Both directions are copied: the argument of a send may be reused as soon as it returns, and the Data of a received
// message belongs to the caller for good.
//
// # Delivery
//
// Messages arrive in the order they were sent, each once, also across an upgrade. No HTTP request is
// ever repeated, so nothing arrives twice; what was on its way when a session broke may be lost.
//
// # Bounds
//
// What waits to be sent (Options.MaxQueuedBytes) and what waits to be read (Options.MaxReceivedBytes) is bounded, and
// so is every response, before and after decompression (Options.ReadLimit). A client that does not read
// stops receiving when its bound is reached, heartbeats included, until the server gives it up.
//
// # Goroutines
//
// An idle client costs one goroutine. Sending adds one for as long as there is something to send, and
// an upgrade one until it is over. All have ended, and all connections are closed, when Close returns.
package client
