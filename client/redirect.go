package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
)

// maxRedirects is how many redirects in a row a handshake follows, as many as net/http.
const maxRedirects = 10

var (
	errRedirects = fmt.Errorf("more than %d redirects", maxRedirects)
	errDowngrade = errors.New("from https to http")
	errMoved     = errors.New("only a handshake is followed")
)

// isRedirect reports whether a status sends the handshake, which is a GET, somewhere else. The other 3xx do not.
func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// openFollowingRedirects opens the session where its target is, or where that redirects. Whatever the session does
// later it does there. A later request that is redirected ends the session: nothing is ever sent twice, and
// a POST that became a GET, as 301 and 302 have it, would lose its messages.
func (s *session) openFollowingRedirects(ctx context.Context, t Transport) error {
	open := s.openPolling
	if t == WebSocket {
		open = s.openWebSocket
	}
	for n := 0; ; n++ {
		err := open(ctx)
		var moved *ResponseError
		if !errors.As(err, &moved) || moved.Location == "" || !isRedirect(moved.Status) {
			return err
		}
		if n == maxRedirects {
			moved.Err = errRedirects
			return moved
		}
		if moved.Err = s.moveTo(moved.Location); moved.Err != nil {
			return moved
		}
	}
}

// moveTo makes the session one with the server at location.
func (s *session) moveTo(location string) error {
	t, err := s.target.redirect(location)
	if err != nil {
		return err
	}
	if t.dialAddr() != s.target.dialAddr() || t.secure != s.target.secure {
		d := newDialer(t, &s.c.o)
		s.polls.close()
		s.dialer, s.polls.dialer, s.posts.dialer = d, d, d
	}
	s.target = t
	s.c.o.Logger.Debug("client: redirected", "url", t.url.String())
	return nil
}

// redirect is where location, which a server at t has answered with, leads.
//
// It is taken as it is, up to the parameters of the protocol, which are put there again. What the application
// has given us for the server, header and query, stays with the origin that the URL names; it also goes on to https on
// the same host. It is not given to another origin, nor to any that follows. A user in location is ignored.
func (t *target) redirect(location string) (*target, error) {
	u, err := t.url.Parse(location)
	if err != nil {
		return nil, errors.New("it is no URL")
	}
	next := &target{options: t.options, otherOrigin: t.otherOrigin}
	if err := next.setAddress(u); err != nil {
		return nil, err
	}
	if t.secure && !next.secure {
		return nil, errDowngrade
	}
	if next.name == t.name && next.zone == "" {
		next.zone = t.zone // of which the server has not heard
	}
	if next.name != t.name || next.secure == t.secure && next.port != t.port {
		next.otherOrigin = true
	}
	params := u.Query()
	if !next.otherOrigin {
		next.auth = t.auth
		if u.RawQuery == "" {
			params = t.query
		}
	}
	if u.Path == "" {
		u.Path = "/"
	}
	next.setRequest(u, params)
	return next, nil
}
