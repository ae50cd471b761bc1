package client

import "context"

// Handler is what Run calls. Each field may be nil. The calls come one at a time, in the order in which things
// happened, from the goroutine that runs Run.
//
// They may call all methods of the client but AwaitUpgrade: while Options.MaxReceivedBytes is reached, only the return
// of OnMessage lets the client read on. A session that comes and goes meanwhile, without a message, is left out.
type Handler struct {
	// OnConnect runs for each session, before its messages.
	OnConnect func(c *Client)
	// OnMessage runs for each message, whose Data it may keep. While it runs, what comes waits, up
	// to Options.MaxReceivedBytes.
	OnMessage func(c *Client, m Message)
	// OnUpgrade runs when a session has moved to WebSocket.
	OnUpgrade func(c *Client)
	// OnDisconnect runs when a session has ended, after its messages.
	OnDisconnect func(c *Client, why *CloseError)
}

// Run calls h for what happens, from the first OnConnect on, until the client has ended. When ctx ends
// it closes the client gracefully, as Close does.
//
// It returns nil if ctx, Close or CloseNow has ended the client, and otherwise the *CloseError. A
// client is for Run or for Read, not for both.
func (c *Client) Run(ctx context.Context, h Handler) error {
	c.in.keepEvents()
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	defer stop()
	for {
		e, err := c.in.pop(context.Background())
		if err != nil {
			<-c.ctx.Done()
			if why := asCloseError(err); why != nil && why.Reason == ReasonClientClose {
				return nil
			}
			return err
		}
		h.handle(c, e)
	}
}

func (h *Handler) handle(c *Client, e event) {
	switch {
	case e.kind == onConnect && h.OnConnect != nil:
		h.OnConnect(c)
	case e.kind == onMessage && h.OnMessage != nil:
		h.OnMessage(c, e.message)
	case e.kind == onUpgrade && h.OnUpgrade != nil:
		h.OnUpgrade(c)
	case e.kind == onDisconnect && h.OnDisconnect != nil:
		h.OnDisconnect(c, e.why)
	}
}
