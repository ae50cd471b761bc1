package client

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/fasthttp/websocket"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/conncheck"
)

// The upgrade. Until the 5 the session lives on long-polling, and a probe that fails leaves it there.
//
//	probe                      server                the session's goroutine
//	  |  handshake, 2probe -->   |                      | a poll is under way
//	  |                          |  6, ends the poll -> | awaitProbe: no further poll
//	  |  <---- 3probe            |                      |
//	  |  probeResult -------------------------------->  | switchTo: waits for a POST under way
//	  |                          |  <---------------- 5 | and everything after it
//
// Nothing is copied or held back: what was queued meanwhile goes out by the transport that is there
// when it is taken, and the server's answers to the last poll and the last POST have been read.

var errProbe = errors.New("the probe was not answered")

// startProbe finds out whether a WebSocket gets through to the server.
func (s *session) startProbe() {
	if !s.upgradable || s.c.o.DisableUpgrades || !slices.Contains(s.c.o.Transports, WebSocket) {
		s.endUpgrade()
		return
	}
	probed := make(chan *websocket.Conn, 1)
	s.probeResult = probed
	s.tasks.Go(func() {
		defer close(probed)
		ws, err := s.probe()
		if err == nil {
			probed <- ws
			return
		}
		s.endUpgrade()
		if s.ctx.Err() == nil {
			remember(s.c.target.addr(), false)
			s.c.o.Logger.Debug("client: upgrade failed", "sid", s.id, "error", err)
		}
	})
}

// probe returns a WebSocket that may take over the session.
func (s *session) probe() (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(s.ctx, s.c.o.RequestTimeout)
	defer cancel()
	ws, err := s.dialWebSocket(ctx)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { abort(ws.NetConn()) })
	s.probing.Store(true)
	err = s.writePacket(ws, codec.Packet{Type: codec.Ping, Data: []byte("probe")})
	if err == nil {
		err = s.readPacket(ws, func(p codec.Packet) error {
			if p.Type != codec.Pong || string(p.Data) != "probe" {
				return errProbe
			}
			return nil
		})
	}
	if !stop() {
		err = context.Cause(ctx)
	}
	if err != nil {
		abort(ws.NetConn())
		return nil, err
	}
	return ws, nil
}

// awaitProbe holds the next poll while the probe is asking: the server would keep it for 100 ms, and
// the upgrade waits for it. Polling goes on, once and for all, if the answer does not come soon.
func (s *session) awaitProbe() {
	if !s.probing.CompareAndSwap(true, false) {
		return
	}
	timer := time.NewTimer(probeWait)
	defer timer.Stop()
	select {
	case s.probeWS = <-s.probeResult:
	case <-timer.C:
	case <-s.ctx.Done():
	}
}

// tryUpgrade moves the session to WebSocket if the probe has found one, and reports whether it did. No poll is under way.
func (s *session) tryUpgrade() bool {
	if s.probeWS == nil {
		select {
		case s.probeWS = <-s.probeResult:
		default:
		}
	}
	ws := s.probeWS
	if ws == nil {
		return false
	}
	s.probeWS, s.probeResult = nil, nil
	defer s.endUpgrade()
	if err := s.switchTo(ws); err != nil {
		abort(ws.NetConn())
		s.c.o.Logger.Debug("client: upgrade failed", "sid", s.id, "error", err)
		return false
	}
	s.polls.close()
	s.posts.close()
	s.c.o.Logger.Debug("client: upgraded", "sid", s.id)
	if s.c.o.RememberUpgrade {
		remember(s.c.target.addr(), true)
	}
	s.c.in.addEvent(event{kind: onUpgrade})
	return true
}

func (s *session) switchTo(ws *websocket.Conn) error {
	s.writing.Lock() // waits for the POST under way
	defer s.writing.Unlock()
	var check conncheck.Poll
	if check.Gone(ws.NetConn()) {
		return errors.New("the server has closed the WebSocket")
	}
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if err := s.writePacket(ws, codec.Packet{Type: codec.Upgrade}); err != nil {
		return err
	}
	s.ws = ws
	s.onWS.Store(true)
	return nil
}

// AwaitUpgrade waits until the session has moved to WebSocket, or is known to stay where it is, and
// returns its transport. Nothing has to wait for it: messages may be sent at any time. Its error is
// the cause of ctx, ErrNotConnected between two sessions, or a *CloseError.
func (c *Client) AwaitUpgrade(ctx context.Context) (Transport, error) {
	s := c.session.Load()
	if s == nil {
		if c.ctx.Err() != nil {
			return 0, context.Cause(c.ctx)
		}
		return 0, ErrNotConnected
	}
	select {
	case <-s.upgradeOver:
	case <-s.ctx.Done():
		return 0, s.closeError()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	return s.transport(), nil
}
