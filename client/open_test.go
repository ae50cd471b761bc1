package client_test

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/valyala/fasthttp"

	"github.com/fasteio/engineio"
	"github.com/fasteio/engineio/client"
)

func TestRefusedHandshake(t *testing.T) {
	base, _, _ := serve(t, engineio.Config{OnHandshake: func(_ *engineio.Session, ctx *fasthttp.RequestCtx) error {
		if ctx.QueryArgs().Has("own") {
			return &engineio.RequestError{Status: 429, Code: 4, Message: "Come back later"}
		}
		return errors.New("no")
	}})
	v4, _, _ := serve(t, engineio.Config{Revisions: []engineio.Revision{engineio.V4}})
	for _, test := range []struct {
		url      string
		revision client.Revision
		want     client.ResponseError
	}{
		{base, 4, client.ResponseError{Status: 403, Code: 4, Message: "Forbidden"}},
		{base + "?own", 3, client.ResponseError{Status: 429, Code: 4, Message: "Come back later"}},
		{base + "/other/", 4, client.ResponseError{Status: 404, Code: -1, Message: "Not Found"}},
		{v4, 3, client.ResponseError{Status: 400, Code: 5, Message: "Unsupported protocol version"}},
	} {
		for _, transports := range [][]client.Transport{polling, websocket} {
			_, err := client.Dial(background(t), test.url, &client.Options{Transports: transports, Revision: test.revision})
			var refused *client.ResponseError
			if !errors.As(err, &refused) || refused.Status != test.want.Status || refused.Code != test.want.Code ||
				refused.Message != test.want.Message || errors.Is(err, client.ErrRevision) != (test.want.Code == 5) {
				t.Errorf("%s by %v: %v", test.url, transports, err)
			}
		}
	}
}

func TestBadHandshakes(t *testing.T) {
	for _, open := range []string{"", "1", "4x", "0", "0{", "0[]", `0{"sid":""}`, `0{"sid":1}`, openPacket + "\x1ex",
		`0{"sid":"` + strings.Repeat("x", 2000) + `"}`} {
		r := &raw{open: " ", handshake: func(ctx *fasthttp.RequestCtx) { ctx.SetBodyString(open) }}
		if c, err := client.Dial(background(t), r.start(t), &client.Options{Logger: quiet}); err == nil {
			c.CloseNow()
			t.Errorf("%.40q is accepted", open)
		}
	}
}

func TestBadArguments(t *testing.T) {
	for url, o := range map[string]*client.Options{
		"://":             nil,
		"ftp://host":      nil,
		"http://":         nil,
		"http://a#1":      {Revision: 5},
		"http://a#2":      {Transports: []client.Transport{3}},
		"http://a#3":      {ReadLimit: -1},
		"http://a#4":      {Header: http.Header{"Upgrade": {"x"}}},
		"http://a#5":      {Reconnect: &client.ReconnectOptions{Backoff: time.Hour}},
		"http://a#6":      {Reconnect: &client.ReconnectOptions{Jitter: 2}},
		"http://a:port/7": nil,
	} {
		if _, err := client.Dial(background(t), url, o); err == nil {
			t.Errorf("%s %+v is accepted", url, o)
		}
	}
}

// What the application wants requests to carry is in each of them, the WebSocket's too.
func TestRequests(t *testing.T) {
	var calls, requests atomic.Int32
	stamps := make(map[string]bool)
	srv := engineio.New(engineio.Config{Path: "/my/path/", OnMessage: echo.OnMessage, Logger: quiet})
	shutdownAtEnd(t, srv)
	l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
		n := requests.Add(1)
		upgrade := len(ctx.Request.Header.Peek("Upgrade")) > 0
		checks := map[string][2]string{
			"header":   {string(ctx.Request.Header.Peek("X-Own")), "value"},
			"func":     {string(ctx.Request.Header.Peek("X-Func")), "set"},
			"auth":     {string(ctx.Request.Header.Peek("Authorization")), "Basic dTpw"},
			"host":     {string(ctx.Host()), "virtual.test"},
			"query":    {string(ctx.QueryArgs().Peek("kept")), "a b&c"},
			"option":   {string(ctx.QueryArgs().Peek("opt")), "1"},
			"EIO":      {string(ctx.QueryArgs().Peek("EIO")), "4"},
			"stamp":    {fmt.Sprint(len(ctx.QueryArgs().Peek("stamp")) > 0), fmt.Sprint(!upgrade)},
			"cookie":   {string(ctx.Request.Header.Cookie("sticky")), map[bool]string{true: "", false: "node1"}[n == 1]},
			"own":      {string(ctx.Request.Header.Cookie("mine")), "too"},
			"old path": {string(ctx.Request.Header.Cookie("elsewhere")), ""},
		}
		for what, pair := range checks {
			if pair[0] != pair[1] {
				t.Errorf("%s of %s: %q, want %q", what, ctx.RequestURI(), pair[0], pair[1])
			}
		}
		if stamp := string(ctx.QueryArgs().Peek("stamp")); !upgrade {
			if stamps[stamp] {
				t.Errorf("timestamp %q comes twice", stamp)
			}
		}
		srv.Serve(ctx)
		if n == 1 {
			ctx.Response.Header.Add("Set-Cookie", "sticky=node1; Path=/; HttpOnly")
			ctx.Response.Header.Add("Set-Cookie", "elsewhere=x; Path=/other")
		}
	})
	c := dial(t, "ws://u:p@"+l.Addr().String()+"/ignored?kept=a%20b%26c&EIO=7&sid=x&transport=y", &client.Options{
		Path:   "/my/path",
		Query:  url.Values{"opt": {"1"}},
		Header: http.Header{"X-Own": {"value"}, "Host": {"virtual.test"}, "Cookie": {"mine=too"}},
		HeaderFunc: func(_ context.Context, h http.Header) error {
			calls.Add(1)
			h.Set("X-Func", "set")
			return nil
		},
		TimestampParam: "stamp",
	})
	upgraded(t, c, client.WebSocket)
	must(t, c.SendText(background(t), "x"))
	wantText(t, c, "x")
	must(t, c.Close())
	if calls.Load() != requests.Load() || calls.Load() < 3 {
		t.Errorf("HeaderFunc ran %d times for %d requests", calls.Load(), requests.Load())
	}
	refuse := errors.New("no token")
	_, err := client.Dial(background(t), "http://"+l.Addr().String(), &client.Options{
		HeaderFunc: func(context.Context, http.Header) error { return refuse }})
	if !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
}

func TestPaths(t *testing.T) {
	for url, test := range map[string]struct {
		o    client.Options
		want string
	}{
		"":                    {client.Options{}, "/engine.io/"},
		"/":                   {client.Options{}, "/engine.io/"},
		"/engine.io":          {client.Options{}, "/engine.io/"},
		"/a%2Fb/%C3%A4":       {client.Options{}, "/a%2Fb/%C3%A4/"},
		"/exact":              {client.Options{ExactPath: true}, "/exact"},
		"/x":                  {client.Options{Path: "own"}, "/own/"},
		"//double//slash/../": {client.Options{ExactPath: true}, "//double//slash/../"},
	} {
		var got string
		l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
			got, _, _ = strings.Cut(string(ctx.Request.Header.RequestURI()), "?")
			ctx.Error("", 500)
		})
		_, _ = client.Dial(background(t), "http://"+l.Addr().String()+url, &test.o)
		if got != test.want {
			t.Errorf("%q asks for %q, want %q", url, got, test.want)
		}
	}
}

func TestTransportsInTurn(t *testing.T) {
	only := func(tr engineio.Transport) string {
		c := echo
		c.Transports = []engineio.Transport{tr}
		url, _, _ := serve(t, c)
		return url
	}
	for _, test := range []struct {
		url   string
		first []client.Transport
		want  client.Transport
	}{
		{only(engineio.Polling), []client.Transport{client.WebSocket, client.Polling}, client.Polling},
		{only(engineio.WebSocket), both, client.WebSocket},
	} {
		if _, err := client.Dial(background(t), test.url, &client.Options{Transports: test.first}); err == nil {
			t.Error("the next transport was tried without being asked to")
		}
		c := dial(t, test.url, &client.Options{Transports: test.first, TryAllTransports: true})
		upgraded(t, c, test.want)
	}
}

func TestRememberUpgrade(t *testing.T) {
	url, l, _ := serve(t, echo)
	o := &client.Options{RememberUpgrade: true}
	c := dial(t, url, o)
	if got := c.Transport(); got != client.Polling {
		// the upgrade may be over already
		upgraded(t, c, client.WebSocket)
	}
	upgraded(t, c, client.WebSocket)
	for range 3 {
		if got := dial(t, url, o).Transport(); got != client.WebSocket {
			t.Errorf("opened with %v", got)
		}
	}
	l.hangUp()
	if got := dial(t, url, &client.Options{DisableUpgrades: true}); got.Transport() != client.Polling {
		t.Errorf("opened with %v though nobody asked to remember", got.Transport())
	}
}

func TestFailedUpgradeLeavesPolling(t *testing.T) {
	for name, answer := range map[string]fasthttp.RequestHandler{
		"refused": func(ctx *fasthttp.RequestCtx) { ctx.Error("no", 400) },
		"hung up": hangUp,
		"ended after the handshake": func(ctx *fasthttp.RequestCtx) {
			key := string(ctx.Request.Header.Peek("Sec-WebSocket-Key"))
			ctx.HijackSetNoResponse(true)
			ctx.Hijack(func(c net.Conn) {
				_, _ = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptKey(key))
				_ = c.Close()
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := engineio.New(engineio.Config{OnMessage: echo.OnMessage, Logger: quiet})
			shutdownAtEnd(t, srv)
			l := serveHTTP(t, func(ctx *fasthttp.RequestCtx) {
				if len(ctx.Request.Header.Peek("Upgrade")) > 0 {
					answer(ctx)
					return
				}
				srv.Serve(ctx)
			})
			c := dial(t, "http://"+l.Addr().String(), nil)
			upgraded(t, c, client.Polling)
			for i := range 20 {
				must(t, c.SendText(background(t), fmt.Sprint(i)))
				wantText(t, c, fmt.Sprint(i))
			}
			must(t, c.Close())
		})
	}
}

func TestTLSWithPrivateCA(t *testing.T) {
	ca, caKey := certificate(t, nil, nil)
	leaf, leafKey := certificate(t, ca, caKey)
	url := serveTLS(t, echo, tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: leafKey})
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	inEachMode(t, func(t *testing.T, m mode) {
		o := m.options()
		var unknown x509.UnknownAuthorityError
		if _, err := client.Dial(background(t), url, o); !errors.As(err, &unknown) {
			t.Errorf("without the root: %v", err)
		}
		o.TLSConfig = &tls.Config{RootCAs: roots}
		c := dial(t, strings.Replace(url, "https", "wss", 1), o)
		upgraded(t, c, m.final)
		for i := range 50 {
			must(t, c.SendText(background(t), fmt.Sprint(i)))
			wantText(t, c, fmt.Sprint(i))
		}
		must(t, c.Close())
	})
}

// certificate is signed by parent, or is a root without one.
func certificate(t *testing.T, parent *x509.Certificate, parentKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: parent == nil, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	if parent == nil {
		parent, parentKey = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, parentKey)
	must(t, err)
	c, err := x509.ParseCertificate(der)
	must(t, err)
	return c, key
}

// What the application says in its header reaches the server as it is, by any transport. fasthttp has its own idea of cookies.
func TestHeaderIsSentAsItIs(t *testing.T) {
	const cookie, accept = `prefs={"a":1}; b="2"; c=3`, "application/x-mine"
	for _, transport := range both {
		ln, err := net.Listen("tcp4", "127.0.0.1:0")
		must(t, err)
		got := make(chan http.Header, 1)
		go func() {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			if r, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				got <- r.Header
			}
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
		}()
		_, err = client.Dial(background(t), "http://"+ln.Addr().String(), &client.Options{
			Transports: []client.Transport{transport}, Header: http.Header{"Cookie": {cookie}, "Accept": {accept}},
		})
		if err == nil {
			t.Fatal("let in")
		}
		if h := <-got; h.Get("Cookie") != cookie || h.Get("Accept") != accept {
			t.Errorf("by %v came %q", transport, h)
		}
		must(t, ln.Close())
	}
}

func TestNoReadLimit(t *testing.T) {
	url, _, _ := serve(t, echo)
	c := dial(t, url, &client.Options{Transports: websocket, ReadLimit: math.MaxInt})
	must(t, c.SendText(background(t), "hello"))
	if m, err := c.Read(background(t)); err != nil || string(m.Data) != "hello" {
		t.Errorf("got %q, %v", m.Data, err)
	}
}

// One that begins by WebSocket anyway is refused once.
func TestRememberUpgradeOfWebSocketFirst(t *testing.T) {
	handshakes := 0
	url, _, srv := serve(t, echo)
	o := &client.Options{Transports: []client.Transport{client.Polling, client.WebSocket}, RememberUpgrade: true}
	c := dial(t, url, o)
	if _, err := c.AwaitUpgrade(background(t)); err != nil {
		t.Fatal(err)
	}
	c.CloseNow()
	must(t, srv.Drain(background(t), 0))
	o.Transports, o.HeaderFunc = websocket, func(context.Context, http.Header) error { handshakes++; return nil }
	if _, err := client.Dial(background(t), url, o); err == nil || handshakes != 1 {
		t.Errorf("%d handshakes: %v", handshakes, err)
	}
}
