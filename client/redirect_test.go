package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

// A redirect to a path leads to the same machine, by the zone that the server has not heard of.
func TestRedirectsKeepTheZone(t *testing.T) {
	ln, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 on this machine:", err)
	}
	srv := engineio.New(engineio.Config{OnMessage: echo.OnMessage, Logger: quiet})
	shutdownAtEnd(t, srv)
	l := &listener{Listener: ln}
	serveOn(t, l, l, func(ctx *fasthttp.RequestCtx) {
		if string(ctx.Path()) == "/old/" {
			ctx.Response.Header.Set("Location", "http://"+string(ctx.Host())+"/engine.io/")
			ctx.SetStatusCode(301)
			return
		}
		srv.ServeFastHTTP(ctx)
	})
	_, port, _ := net.SplitHostPort(l.Addr().String())
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		var addrs []string
		o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			addrs = append(addrs, addr)
			return new(net.Dialer).DialContext(ctx, network, l.Addr().String())
		}
		c := dial(t, "http://[::1%25lo]:"+port+"/old/", o)
		if c.Transport() == client.WebSocket && m.transports[0] == client.WebSocket {
			upgraded(t, c, client.WebSocket)
		}
		c.CloseNow()
		for _, addr := range addrs {
			if addr != "[::1%lo]:"+port {
				t.Errorf("dialled %q", addr)
			}
		}
	})
}

// moved answers every request with a redirect to where location says.
func moved(t *testing.T, status int, location func(uri string) string) (url string) {
	t.Helper()
	l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
		ctx.SetStatusCode(status)
		ctx.Response.Header.Set("Location", location(string(ctx.RequestURI())))
		ctx.SetBodyString("moved")
	})
	return "http://" + l.Addr().String()
}

// A session whose handshake was redirected lives where that led, on every transport.
func TestRedirectsAreFollowed(t *testing.T) {
	base, _, _ := serve(t, echo)
	for _, status := range []int{301, 302, 303, 307, 308} {
		inEachMode(t, func(t *testing.T, m mode) {
			asked := 0
			o := m.options()
			c := dial(t, moved(t, status, func(uri string) string { asked++; return base + uri }), o)
			upgraded(t, c, m.final)
			for i := range 5 {
				must(t, c.SendText(background(t), fmt.Sprint(i)))
				wantText(t, c, fmt.Sprint(i))
			}
			must(t, c.Close())
			if asked != 1 {
				t.Errorf("%d: the server that redirects was asked %d times", status, asked)
			}
		})
	}
}

// A server that wants another path gets it, and the query that its redirect forgets.
func TestRedirectsWithinAServer(t *testing.T) {
	for location, want := range map[string]string{
		"/moved":                         "/moved?opt=1&own=2",
		"/moved?their=3&EIO=3&transport": "/moved?their=3",
		"below/":                         "/engine.io/below/?opt=1&own=2",
		"?their=3":                       "/engine.io/?their=3",
	} {
		for _, transports := range [][]client.Transport{polling, websocket} {
			var uris []string
			l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
				if uris = append(uris, string(ctx.RequestURI())); len(uris) == 1 {
					ctx.Response.Header.Set("Location", location)
					ctx.SetStatusCode(308)
					return
				}
				if string(ctx.Request.Header.Peek("X-Own")) != "yes" || string(ctx.Request.Header.Peek("Authorization")) != "Basic dTpw" {
					t.Errorf("the header is lost: %s", &ctx.Request.Header)
				}
				ctx.Error("", 400)
			})
			_, err := client.Dial(background(t), "http://u:p@"+l.Addr().String()+"?own=2", &client.Options{Transports: transports,
				Query: url.Values{"opt": {"1"}}, Header: http.Header{"X-Own": {"yes"}}, DisableTimestamps: true})
			if err == nil || len(uris) != 2 {
				t.Fatalf("%v, %q", err, uris)
			}
			want := want + "&EIO=4&transport=" + transports[0].String()
			if uris[1] != want {
				t.Errorf("%s by %v leads to %q, want %q", location, transports, uris[1], want)
			}
		}
	}
}

// What the application trusts one server with is not for another, nor for whom that sends us to.
func TestRedirectsKeepSecrets(t *testing.T) {
	for _, transports := range [][]client.Transport{polling, websocket} {
		var seen []string
		note := func(ctx *fasthttp.RequestCtx) {
			h := &ctx.Request.Header
			seen = append(seen, fmt.Sprintf("%s|%s|%s|%s|%s", h.Peek("Authorization"), h.Peek("X-Own"), h.Peek("X-Func"), h.Peek("Cookie"),
				ctx.QueryArgs().Peek("token")))
		}
		var back string
		other := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			note(ctx)
			ctx.Response.Header.Set("Location", back+"?ask")
			ctx.SetStatusCode(307)
		})
		first := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			note(ctx)
			if ctx.QueryArgs().Has("ask") {
				ctx.Error("", 400)
				return
			}
			ctx.Response.Header.Set("Location", "http://evil:too@"+other.Addr().String()+"/")
			ctx.SetStatusCode(307)
		})
		back = "http://" + first.Addr().String() + "/"
		_, err := client.Dial(background(t), "http://u:p@"+first.Addr().String(), &client.Options{
			Transports: transports, Query: url.Values{"token": {"secret"}},
			Header:     http.Header{"X-Own": {"1"}, "Cookie": {"own=1"}},
			HeaderFunc: func(_ context.Context, h http.Header) error { h.Set("X-Func", "2"); return nil },
		})
		if err == nil {
			t.Fatal("let in")
		}
		if got, want := strings.Join(seen, " "), "Basic dTpw|1|2|own=1|secret |||| ||||"; got != want {
			t.Errorf("by %v the servers saw %q, want %q", transports, got, want)
		}
	}
}

func TestRedirectsFromAndToTLS(t *testing.T) {
	ca, caKey := certificate(t, nil, nil)
	leaf, leafKey := certificate(t, ca, caKey)
	c := echo
	c.OnHandshake = func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if string(ctx.Request.Header.Peek("X-Own")) != "yes" {
			return errors.New("who is it?")
		}
		return nil
	}
	secure := serveTLS(t, c, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey})
	plain, _, _ := serve(t, echo)
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		o.TLSConfig, o.Header = &tls.Config{RootCAs: roots}, http.Header{"X-Own": {"yes"}}
		up := dial(t, moved(t, 301, func(uri string) string { return secure + uri }), o)
		upgraded(t, up, m.final)
		must(t, up.SendText(background(t), "x"))
		wantText(t, up, "x")
	})
	l := listen(t)
	serveOn(t, l, tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey}}}),
		func(ctx *fasthttp.RequestCtx) {
			ctx.Response.Header.Set("Location", plain+"/engine.io/")
			ctx.SetStatusCode(302)
		})
	for _, transports := range [][]client.Transport{polling, websocket} {
		_, err := client.Dial(background(t), "https://"+l.Addr().String(), &client.Options{Transports: transports, TLSConfig: &tls.Config{RootCAs: roots}})
		wantLocation(t, err, plain+"/engine.io/", "from https to http")
	}
}

func wantLocation(t *testing.T, err error, location, why string) {
	t.Helper()
	var refused *client.ResponseError
	if !errors.As(err, &refused) || refused.Location != location || !strings.Contains(err.Error(), location) || !strings.Contains(err.Error(), why) {
		t.Errorf("got %v, want an error with %q and %q", err, location, why)
	}
}

func TestRedirectsThatAreNotFollowed(t *testing.T) {
	for _, transports := range [][]client.Transport{polling, websocket} {
		asked := 0
		_, err := client.Dial(background(t), moved(t, 302, func(string) string { asked++; return "/again" }), &client.Options{Transports: transports})
		wantLocation(t, err, "/again", "more than 10 redirects")
		if asked != 11 {
			t.Errorf("asked %d times, want 11", asked)
		}
		for location, why := range map[string]string{"ftp://a/": "scheme", "http://%zz": "no URL", "http://": "no host", "http://-ä.b/": "host"} {
			_, err := client.Dial(background(t), moved(t, 302, func(string) string { return location }), &client.Options{Transports: transports})
			wantLocation(t, err, location, why)
		}
		_, err = client.Dial(background(t), moved(t, 300, func(string) string { return "/choose" }), &client.Options{Transports: transports})
		wantLocation(t, err, "/choose", "300")
	}
}

// In a session nothing is followed: a POST that is sent as a GET loses its messages, and none is sent twice.
func TestRedirectsInASession(t *testing.T) {
	redirect := func(ctx *fasthttp.RequestCtx) {
		ctx.Response.Header.Set("Location", "/elsewhere/")
		ctx.SetStatusCode(307)
	}
	for name, r := range map[string]*raw{"GET": {get: redirect}, "POST": {post: redirect}} {
		t.Run(name, func(t *testing.T) {
			c := dial(t, r.start(t), nil)
			_ = c.SendText(background(t), "x")
			why := ended(t, c)
			if why.Reason != client.ReasonTransportError {
				t.Errorf("ended with %v", why)
			}
			wantLocation(t, why, "/elsewhere/", "only a handshake")
		})
	}
	t.Run("upgrade", func(t *testing.T) {
		srv := engineio.New(engineio.Config{OnMessage: echo.OnMessage, Logger: quiet})
		shutdownAtEnd(t, srv)
		l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			if len(ctx.Request.Header.Peek("Upgrade")) > 0 {
				redirect(ctx)
				return
			}
			srv.ServeFastHTTP(ctx)
		})
		c := dial(t, "http://"+l.Addr().String(), nil)
		upgraded(t, c, client.Polling)
		must(t, c.SendText(background(t), "x"))
		wantText(t, c, "x")
	})
}

// The cookies of a server that redirects are there when it is asked again, those of another are not.
func TestRedirectsSetCookies(t *testing.T) {
	var mu sync.Mutex
	var cookies []string
	l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
		mu.Lock()
		defer mu.Unlock()
		cookies = append(cookies, string(ctx.Request.Header.Peek("Cookie")))
		if len(cookies) == 1 {
			ctx.Response.Header.Set("Location", "/engine.io/")
			ctx.Response.Header.Set("Set-Cookie", "node=1; Path=/")
			ctx.SetStatusCode(302)
			return
		}
		ctx.Error("", 400)
	})
	for _, transports := range [][]client.Transport{polling, websocket} {
		cookies = nil
		_, err := client.Dial(background(t), "http://"+l.Addr().String(), &client.Options{Transports: transports})
		if err == nil || strings.Join(cookies, "|") != "|node=1" {
			t.Errorf("by %v came %q, %v", transports, cookies, err)
		}
	}
}
