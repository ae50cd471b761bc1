package client

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// Client is a session with a server, or with Options.Reconnect one after the other. Get one from Dial, and
// call Close or CloseNow when done with it.
type Client struct {
	o       Options
	target  *target
	dialer  *dialer
	cookies cookies

	in         inbox
	out        outbox
	session    atomic.Pointer[session] // the open one; nil before, between and after
	maxPayload atomic.Int64            // of the last session, as its server announced it; 0 if it did not

	ctx         context.Context // ends, with the reason as cause, when everything has ended
	finish      context.CancelCauseFunc
	alive       context.Context // its end ends everything
	kill        context.CancelFunc
	beforeClose context.Context // ends with the first Close, or with alive
	beginClose  context.CancelFunc
	closeOnce   sync.Once

	reconnectDone chan struct{} // closed when the last ReconnectOptions.OnReconnect has returned; nil before the first
}

// Dial opens a session with the server at rawURL, by http, https, ws or wss; nil options stand for
// the defaults. ctx bounds the opening alone. An upgrade to WebSocket follows in the background.
//
// A server that refuses gives a *ResponseError. Dial makes one attempt, with Options.Reconnect too.
func Dial(ctx context.Context, rawURL string, options *Options) (*Client, error) {
	o, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	t, err := newTarget(rawURL, &o)
	if err != nil {
		return nil, err
	}
	c := &Client{o: o, target: t, dialer: newDialer(t, &o), in: newInbox(o.MaxReceivedBytes)}
	c.out.max = o.MaxQueuedBytes
	c.cookies.jar = o.Jar
	c.ctx, c.finish = context.WithCancelCause(context.Background())
	c.alive, c.kill = context.WithCancel(context.Background())
	c.beforeClose, c.beginClose = context.WithCancel(c.alive)
	c.out.killed = c.alive.Done()
	s, err := c.startSession(ctx)
	if err != nil {
		c.kill()
		c.finish(err)
		return nil, err
	}
	go c.serve(s)
	return c, nil
}

// startSession opens a session and lets it send.
func (c *Client) startSession(ctx context.Context) (*session, error) {
	greeting, err := c.greeting(ctx)
	if err != nil {
		return nil, err
	}
	s, err := c.openSession(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.beforeClose.Err(); err != nil {
		s.close()
		return nil, err
	}
	c.maxPayload.Store(int64(s.maxPayload))
	c.session.Store(s)
	c.out.attach(s, greeting)
	s.startSender()
	return s, nil
}

// serve runs one session after the other until there is no other.
func (c *Client) serve(s *session) {
	var why *CloseError
	for {
		c.in.addEvent(event{kind: onConnect})
		why = s.run()
		c.session.Store(nil)
		c.o.Logger.Debug("client: session ended", "sid", s.id, "error", why)
		c.in.addEvent(event{kind: onDisconnect, why: why})
		if c.o.Reconnect == nil || c.beforeClose.Err() != nil {
			break
		}
		if s, why = c.reconnect(why); s == nil {
			break
		}
	}
	c.out.abort(why)
	c.in.close(why)
	c.kill()
	if c.reconnectDone != nil {
		<-c.reconnectDone
	}
	c.finish(why)
}

// Read waits for the next message. Its error is the cause of ctx, or a *CloseError when the client
// has ended and all that came before has been read.
func (c *Client) Read(ctx context.Context) (Message, error) {
	for {
		e, err := c.in.pop(ctx)
		if err != nil {
			return Message{}, err
		}
		if e.kind == onMessage {
			return e.message, nil
		}
	}
}

// Flush waits until all that has been queued is out: accepted by the server on long-polling, written to
// the connection on WebSocket. Its error is the cause of ctx, or why something was lost that was queued since the
// last Flush.
func (c *Client) Flush(ctx context.Context) error { return c.out.flush(ctx) }

// Close ends the client gracefully: it refuses further sends, lets what is queued leave, tells the server, and
// waits until all is done, for Options.CloseTimeout at most. Its error counts the messages that could not
// be sent. What has been received can still be read, but what comes now is kept only while there is room.
// On a client that has ended it does nothing.
func (c *Client) Close() error {
	if c.ctx.Err() != nil {
		return nil
	}
	c.closeOnce.Do(func() {
		c.out.close(&CloseError{Reason: ReasonClientClose})
		c.in.dropWhenFull()
		c.beginClose()
	})
	if s := c.session.Load(); s != nil {
		s.startSender()
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.o.CloseTimeout)
	defer cancel()
	<-ctx.Done()
	c.kill()
	<-c.ctx.Done()
	if n := c.out.unsent(); n > 0 {
		return fmt.Errorf("client: closed with %d messages not sent: %w", n, context.Cause(c.ctx))
	}
	return nil
}

// CloseNow ends the client at once. What is queued is not sent. It returns when all goroutines have
// ended and all connections are closed.
func (c *Client) CloseNow() {
	c.in.dropWhenFull()
	c.kill()
	<-c.ctx.Done()
}

// ID is the session's id, which a reconnection changes; empty without a session.
func (c *Client) ID() string {
	if s := c.session.Load(); s != nil {
		return s.id
	}
	return ""
}

// Transport is how the session travels at the moment; 0 without a session.
func (c *Client) Transport() Transport {
	if s := c.session.Load(); s != nil {
		return s.transport()
	}
	return 0
}

// Revision is the protocol that the client speaks, as in Options.Revision.
func (c *Client) Revision() Revision { return c.o.Revision }

// Context ends when the client has: none of its goroutines runs any more, and all its connections are closed. Its cause is a
// *CloseError.
func (c *Client) Context() context.Context { return c.ctx }
