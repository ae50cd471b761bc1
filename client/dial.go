package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/url"
)

// dialer opens connections to one server, through a proxy if there is one, TLS included.
type dialer struct {
	target      *target
	dialContext func(ctx context.Context, network, addr string) (net.Conn, error)
	proxy       func(*http.Request) (*url.URL, error)
	tls         *tls.Config // nil without TLS
}

func newDialer(t *target, o *Options) *dialer {
	d := &dialer{target: t, dialContext: o.DialContext, proxy: o.Proxy}
	if t.secure {
		d.tls = tlsConfig(o.TLSConfig, t.name)
		if t.otherOrigin {
			d.tls.Certificates, d.tls.GetClientCertificate = nil, nil // they identify the application
		}
		if d.tls.ClientSessionCache == nil {
			d.tls.ClientSessionCache = tls.NewLRUClientSessionCache(1) // POSTs come on fresh connections
		}
	}
	return d
}

// tlsConfig is a copy of c that speaks HTTP/1.1 with a host.
func tlsConfig(c *tls.Config, host string) *tls.Config {
	if c == nil {
		c = &tls.Config{}
	}
	c = c.Clone()
	if c.ServerName == "" {
		c.ServerName = host
	}
	c.NextProtos = []string{"http/1.1"}
	return c
}

// dial opens a connection. The end of ctx ends the attempt at once, and leaves the connection alone
// after it.
func (d *dialer) dial(ctx context.Context) (net.Conn, error) {
	proxy, err := d.proxy(d.target.proxyRequest(ctx))
	if err != nil {
		return nil, err
	}
	addr := d.target.dialAddr()
	if proxy != nil {
		if addr, err = proxyAddr(proxy); err != nil {
			return nil, err
		}
	}
	raw, err := d.dialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, err := d.secure(ctx, raw, proxy)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, err
	}
	return c, nil
}

// secure does what has to be said before HTTP can begin.
func (d *dialer) secure(ctx context.Context, c net.Conn, proxy *url.URL) (net.Conn, error) {
	var err error
	if proxy != nil {
		if c, err = tunnel(ctx, c, proxy, d.target.addr()); err != nil {
			return nil, err
		}
	}
	if d.tls == nil {
		return c, nil
	}
	secure := tls.Client(c, d.tls)
	return secure, secure.HandshakeContext(ctx)
}

// abort closes a connection without telling the other side, and ends the reads and writes under way. What Options.DialContext
// has returned is closed itself, whatever it wraps.
func abort(c net.Conn) {
	for {
		switch outer := c.(type) {
		case *wsConn:
			c = outer.Conn
		case *tls.Conn:
			c = outer.NetConn() // Close would write, after waiting for a write under way
		default:
			_ = c.Close()
			return
		}
	}
}

// contextCause is the cause of ctx in place of the error of an operation that its end has interrupted.
func contextCause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	cause := context.Cause(ctx)
	if errors.Is(err, cause) {
		return err
	}
	return cause
}
