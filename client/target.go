package client

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// target is the server as requests name it.
type target struct {
	options        *Options
	secure         bool
	name           string // host without port: ASCII, without a zone; for TLS
	zone           string // of an IPv6 address, for the dialler alone
	port           string
	otherOrigin    bool     // reached by a redirect to another origin than the application has named
	url            *url.URL // scheme http or https, without query: for cookies, proxies and Host
	query          url.Values
	baseURI        string // path and the part of the query that all requests have
	auth           string // Authorization from the user of the URL, may be empty
	timestampParam string // parameter of the timestamp, empty for none
}

func newTarget(raw string, o *Options) (*target, error) {
	u, err := url.Parse(raw)
	if err != nil {
		var invalid *url.Error // whose text has the whole URL, with the password
		if errors.As(err, &invalid) {
			err = invalid.Err
		}
		return nil, fmt.Errorf("client: invalid URL: %w", err)
	}
	t := &target{options: o}
	if err := t.setAddress(u); err != nil {
		return nil, fmt.Errorf("client: %w", err)
	}
	if u.User != nil {
		password, _ := u.User.Password()
		t.auth = basicAuth(u.User.Username(), password)
	}
	if o.Path != "" {
		u.Path, u.RawPath = o.Path, ""
	}
	if u.Path == "" || u.Path == "/" && o.Path == "" {
		u.Path, u.RawPath = "/engine.io/", ""
	}
	if !strings.HasPrefix(u.Path, "/") {
		u.Path, u.RawPath = "/"+u.Path, ""
	}
	if !o.ExactPath && !strings.HasSuffix(u.Path, "/") {
		u = u.JoinPath("/")
	}
	params := u.Query()
	for name, values := range o.Query {
		params[name] = append(params[name], values...)
	}
	t.setRequest(u, params)
	return t, nil
}

// setAddress takes from u where to connect to.
func (t *target) setAddress(u *url.URL) (err error) {
	switch u.Scheme {
	case "http", "ws":
		t.port = "80"
	case "https", "wss":
		t.port, t.secure = "443", true
	default:
		return fmt.Errorf("scheme %.40q, must be http, https, ws or wss", u.Scheme)
	}
	if u.Hostname() == "" {
		return fmt.Errorf("no host in %.300q", u.Redacted())
	}
	if u.Port() != "" {
		t.port = u.Port()
	}
	t.name, t.zone, err = hostName(u.Hostname())
	return err
}

// setRequest takes the path from u, and from query the parameters that are not the client's.
func (t *target) setRequest(u *url.URL, params url.Values) {
	scheme := "http"
	if t.secure {
		scheme = "https"
	}
	t.url = &url.URL{Scheme: scheme, Host: hostPort(t.name, u.Port()), Path: u.Path, RawPath: u.RawPath}
	for _, name := range []string{"EIO", "transport", "sid", "b64", "j"} {
		params.Del(name)
	}
	if !t.options.DisableTimestamps {
		params.Del(t.options.TimestampParam)
		t.timestampParam = url.QueryEscape(t.options.TimestampParam)
	}
	t.query = params
	query := "EIO=" + strconv.Itoa(int(t.options.Revision))
	if len(params) > 0 {
		query = params.Encode() + "&" + query
	}
	t.baseURI = t.url.EscapedPath() + "?" + query
}

// addr is host and port as others know them: a proxy, and what remembers servers.
func (t *target) addr() string { return net.JoinHostPort(t.name, t.port) }

// dialAddr is host and port for this machine's own dialler, with the zone.
func (t *target) dialAddr() string {
	if t.zone == "" {
		return t.addr()
	}
	return net.JoinHostPort(t.name+"%"+t.zone, t.port)
}

// requestURI is the request URI for a transport, of a session if sid is not empty.
func (t *target) requestURI(transport Transport, sid string) string {
	s := t.baseURI + "&transport=" + transport.String()
	if sid != "" {
		s += "&sid=" + url.QueryEscape(sid)
	}
	if t.timestampParam != "" && transport == Polling {
		s += "&" + t.timestampParam + "=" + timestamp()
	}
	return s
}

var stamps atomic.Uint64

// timestamp is unlike every other of the process, and for all practical purposes unlike those of others.
func timestamp() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + "." + strconv.FormatUint(stamps.Add(1), 36)
}
