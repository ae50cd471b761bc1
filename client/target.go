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
	secure bool
	addr   string   // host:port to connect to
	name   string   // host without port, for TLS
	url    *url.URL // scheme http or https, without query: for cookies, proxies and Host
	uri    string   // path and query, up to what differs from request to request
	auth   string   // Authorization from the user of the URL, may be empty
	stamp  string   // parameter of the timestamp, empty for none
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
	t := &target{name: u.Hostname()}
	switch u.Scheme {
	case "http", "ws":
	case "https", "wss":
		t.secure = true
	default:
		return nil, fmt.Errorf("client: scheme %q, must be http, https, ws or wss", u.Scheme)
	}
	if t.name == "" {
		return nil, fmt.Errorf("client: no host in %q", u.Redacted())
	}
	port, scheme := "80", "http"
	if t.secure {
		port, scheme = "443", "https"
	}
	if u.Port() != "" {
		port = u.Port()
	}
	t.addr = net.JoinHostPort(t.name, port)
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
	t.url = &url.URL{Scheme: scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	if !o.DisableTimestamps {
		t.stamp = url.QueryEscape(o.TimestampParam)
	}
	t.uri = t.url.EscapedPath() + "?" + query(u, o)
	return t, nil
}

// query is what the URL and the options ask for, without the parameters that are ours.
func query(u *url.URL, o *Options) string {
	kept := u.Query()
	for name, values := range o.Query {
		kept[name] = append(kept[name], values...)
	}
	for _, name := range []string{"EIO", "transport", "sid", "b64", "j"} {
		kept.Del(name)
	}
	if !o.DisableTimestamps {
		kept.Del(o.TimestampParam)
	}
	s := "EIO=" + strconv.Itoa(int(o.Revision))
	if len(kept) > 0 {
		s = kept.Encode() + "&" + s
	}
	return s
}

// request is the request URI for a transport, of a session if sid is not empty.
func (t *target) request(transport Transport, sid string) string {
	s := t.uri + "&transport=" + transport.String()
	if sid != "" {
		s += "&sid=" + url.QueryEscape(sid)
	}
	if t.stamp != "" && transport == Polling {
		s += "&" + t.stamp + "=" + timestamp()
	}
	return s
}

var stamps atomic.Uint64

// timestamp is unlike every other of the process, and for all practical purposes unlike those of others.
func timestamp() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + "." + strconv.FormatUint(stamps.Add(1), 36)
}
