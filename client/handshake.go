package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/fasteio/engineio/codec"
)

// openSession opens a session on the first transport that works.
func (c *Client) openSession(ctx context.Context) (*session, error) {
	order, try := c.o.Transports, 1
	if c.o.TryAllTransports {
		try = len(order)
	}
	if c.o.RememberUpgrade && order[0] != WebSocket && slices.Contains(order, WebSocket) && remembered(c.target.addr()) {
		order, try = append([]Transport{WebSocket}, order...), try+1
	}
	var failures []error
	for _, t := range order[:try] {
		s, err := c.openOn(ctx, t)
		if err == nil {
			c.o.Logger.Debug("client: session opened", "sid", s.id, "transport", t)
			return s, nil
		}
		if t == WebSocket {
			remember(c.target.addr(), false)
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	if len(failures) == 1 {
		return nil, failures[0]
	}
	return nil, errors.Join(failures...)
}

// openOn opens a session on one transport.
func (c *Client) openOn(ctx context.Context, t Transport) (*session, error) {
	limited, cancel := context.WithTimeout(ctx, c.o.RequestTimeout)
	defer cancel()
	s := c.newSession()
	err := s.openFollowingRedirects(limited, t)
	if err == nil {
		return s, nil
	}
	s.close()
	var refused *ResponseError
	if errors.As(err, &refused) {
		return nil, refused
	}
	return nil, fmt.Errorf("client: open %v: %w", t, err)
}

func (s *session) openPolling(ctx context.Context) error {
	return s.pollOnce(ctx, func(p codec.Packet) (more bool, err error) {
		if s.id == "" {
			err = s.handshake(p)
			s.noteRevision(s.c.o.Revision)
			return true, err
		}
		p.Data = bytes.Clone(p.Data)
		s.earlyPackets = append(s.earlyPackets, p)
		return true, nil
	})
}

func (s *session) openWebSocket(ctx context.Context) error {
	ws, err := s.dialWebSocket(ctx)
	if err != nil {
		return err
	}
	s.ws = ws
	stop := context.AfterFunc(ctx, func() { abort(ws.NetConn()) })
	defer stop()
	if err := s.readPacket(ws, s.handshake); err != nil {
		return contextCause(ctx, err)
	}
	s.onWS.Store(true)
	if s.c.o.RememberUpgrade {
		remember(s.c.target.addr(), true)
	}
	return nil
}

// maxPeriod is the most that is believed of a server's heartbeat, and of its Retry-After.
const maxPeriod = 24 * time.Hour

// open is what the packet that opens a session says.
type open struct {
	Sid          string   `json:"sid"`
	Upgrades     []string `json:"upgrades"`
	PingInterval float64  `json:"pingInterval"`
	PingTimeout  float64  `json:"pingTimeout"`
	MaxPayload   float64  `json:"maxPayload"`
}

func parseOpen(p codec.Packet) (o open, ok bool) {
	ok = p.Type == codec.Open && json.Unmarshal(p.Data, &o) == nil && o.Sid != "" && len(o.Sid) <= 1<<10
	return o, ok
}

// handshake reads the packet that opens a session.
func (s *session) handshake(p codec.Packet) error {
	open, ok := parseOpen(p)
	if !ok {
		return fmt.Errorf("%w: type %d, %.200q", errNoOpen, p.Type, p.Data)
	}
	s.id, s.openedAt = open.Sid, time.Now()
	s.interval = period(open.PingInterval, 25*time.Second)
	s.timeout = period(open.PingTimeout, 20*time.Second)
	if open.MaxPayload > 0 {
		s.maxPayload = int(min(open.MaxPayload, 1<<30))
		if s.c.o.Revision == V4 {
			s.noteRevision(V4) // servers of revision 3 alone do not know it
		}
	}
	s.upgradable = slices.Contains(open.Upgrades, WebSocket.String())
	return nil
}

// period is a server's figure in milliseconds; some send 0.
func period(ms float64, otherwise time.Duration) time.Duration {
	if !(ms > 0) {
		return otherwise
	}
	return time.Duration(min(ms, float64(maxPeriod/time.Millisecond)) * float64(time.Millisecond))
}

// retryAfter reads a Retry-After header: seconds, or a date.
func retryAfter(s string) time.Duration {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil || errors.Is(err, strconv.ErrRange) {
		return min(time.Duration(n)*time.Second, maxPeriod)
	}
	date, err := http.ParseTime(s)
	if err != nil {
		return 0
	}
	return min(max(time.Until(date), 0), maxPeriod)
}
