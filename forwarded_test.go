package engineio

import (
	"bytes"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// from is a request of a peer.
func from(peer net.Addr, header ...string) *fasthttp.RequestCtx {
	ctx := incoming("GET", handshake4, header...)
	ctx.SetRemoteAddr(peer)
	return ctx
}

// peerAt is the peer of that address and port.
func peerAt(s string) net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(s)) }

func trusting(t testing.TB, list ...string) proxies {
	t.Helper()
	p, err := newProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestRemoteAddr(t *testing.T) {
	const peer = "10.0.0.1:5000"
	ours := []string{"10.0.0.0/8", "192.0.2.7", "2001:db8:ffff::/48"}
	for _, c := range []struct {
		name  string
		trust []string
		peer  string
		xff   string // none when empty
		want  string
	}{
		{"nobody is trusted", nil, peer, "203.0.113.9", peer},
		{"an untrusted peer", ours, "203.0.113.1:5000", "203.0.113.9", "203.0.113.1:5000"},
		{"a neighbour of a trusted address", ours, "192.0.2.8:5000", "203.0.113.9", "192.0.2.8:5000"},
		{"a trusted address", ours, "192.0.2.7:5000", "203.0.113.9", "203.0.113.9:0"},
		{"no header", ours, peer, "", peer},
		{"one hop", ours, peer, "203.0.113.9", "203.0.113.9:0"},
		{"spaces", ours, peer, "  203.0.113.9\t", "203.0.113.9:0"},
		{"what is left of the client is his own", ours, peer, "1.2.3.4, 203.0.113.9", "203.0.113.9:0"},
		{"he claims to be one of us", ours, peer, "10.9.9.9, 203.0.113.9", "203.0.113.9:0"},
		{"two proxies", ours, peer, "203.0.113.9, 10.0.0.2", "203.0.113.9:0"},
		{"three proxies and a spoof", ours, peer, "1.2.3.4,203.0.113.9,192.0.2.7,10.0.0.2", "203.0.113.9:0"},
		{"our own all the way", ours, peer, "10.0.0.3, 10.0.0.2", "10.0.0.3:0"},
		{"garbage", ours, peer, "unknown", peer},
		{"garbage on the left", ours, peer, "unknown, 203.0.113.9", "203.0.113.9:0"},
		{"garbage behind a proxy", ours, peer, "1.2.3.4, <script>, 10.0.0.2", "10.0.0.2:0"},
		{"an empty hop", ours, peer, "1.2.3.4,,", "1.2.3.4:0"},
		{"empty hops between", ours, peer, ",1.2.3.4, , 203.0.113.9 ,\t, 10.0.0.2,", "203.0.113.9:0"},
		{"empty hops alone", ours, peer, " , ,", peer},
		{"a name", ours, peer, "example.com", peer},
		{"IPv6", ours, "[2001:db8:ffff::1]:5000", "2001:db8::9", "[2001:db8::9]:0"},
		{"IPv6 behind IPv4", ours, peer, "2001:db8::9, 2001:db8:ffff::2", "[2001:db8::9]:0"},
		{"an untrusted IPv6 peer", ours, "[2001:db8:fffe::1]:5000", "203.0.113.9", "[2001:db8:fffe::1]:5000"},
		{"an IPv4 peer of a socket for both", ours, "[::ffff:10.0.0.1]:5000", "203.0.113.9", "203.0.113.9:0"},
		{"an untrusted one", ours, "[::ffff:203.0.113.1]:5000", "203.0.113.9", "203.0.113.1:5000"},
		{"an IPv4-mapped hop of ours", ours, peer, "203.0.113.9, ::ffff:10.0.0.2", "203.0.113.9:0"},
		{"an IPv4-mapped client", ours, peer, "::ffff:203.0.113.9", "203.0.113.9:0"},
		{"an IPv4-mapped entry", []string{"::ffff:10.0.0.1"}, peer, "203.0.113.9", "203.0.113.9:0"},
		{"everybody", []string{"0.0.0.0/0"}, peer, "1.2.3.4, 203.0.113.9", "1.2.3.4:0"},
		{"IPv4 is not in ::/0", []string{"::/0"}, peer, "203.0.113.9", peer},
		{"a network by one of its addresses", []string{"10.1.2.3/8"}, peer, "203.0.113.9", "203.0.113.9:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var header []string
			if c.xff != "" {
				header = []string{"X-Forwarded-For: " + c.xff}
			}
			ctx := from(peerAt(c.peer), header...)
			if got := trusting(t, c.trust...).remoteAddr(ctx); got != netip.MustParseAddrPort(c.want) {
				t.Errorf("the client is %v, want %v", got, c.want)
			}
		})
	}
}

func TestForwardedHostAndProto(t *testing.T) {
	const trusted, stranger = "10.0.0.1:5000", "203.0.113.1:5000"
	for _, c := range []struct {
		name   string
		peer   string
		header []string
		host   string
		secure bool
	}{
		{"no headers", trusted, nil, "example.com", false},
		{"both", trusted, []string{"X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https"}, "shop.example", true},
		{"of a stranger", stranger, []string{"X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https"}, "example.com", false},
		{"with a port", trusted, []string{"X-Forwarded-Host: shop.example:8443"}, "shop.example:8443", false},
		{"the first counts", trusted, []string{"X-Forwarded-Host: shop.example , inner", "X-Forwarded-Proto: https,http"}, "shop.example", true},
		{"http", trusted, []string{"X-Forwarded-Proto: http"}, "example.com", false},
		{"capitals", trusted, []string{"X-Forwarded-Proto: HTTPS"}, "example.com", true},
		{"garbage", trusted, []string{"X-Forwarded-Proto: httpss"}, "example.com", false},
		{"wss", trusted, []string{"X-Forwarded-Proto: wss"}, "example.com", true},
		{"ws", trusted, []string{"X-Forwarded-Proto: ws"}, "example.com", false},
		{"empty elements", trusted, []string{"X-Forwarded-Host: , shop.example", "X-Forwarded-Proto: ,https"}, "shop.example", true},
		{"in quotes", trusted, []string{`X-Forwarded-Host: "shop.example:8443"`, `X-Forwarded-Proto: "https"`}, "shop.example:8443", true},
		{"lines", trusted, []string{"X-Forwarded-Host: shop.example", "X-Forwarded-Host: inner"}, "shop.example", false},
		{"empty", trusted, []string{"X-Forwarded-Host: ", "X-Forwarded-Proto: "}, "example.com", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := from(peerAt(c.peer), c.header...)
			p := trusting(t, "10.0.0.0/8")
			if host, secure := p.host(ctx), p.secure(ctx); host != c.host || secure != c.secure {
				t.Errorf("host %q, secure %v; want %q, %v", host, secure, c.host, c.secure)
			}
			if p := (proxies{}); p.host(ctx) != "example.com" || p.secure(ctx) {
				t.Error("the headers count where nobody is trusted")
			}
		})
	}
}

// named is an address of a type that only its listener knows.
type named struct{ network, name string }

func (a named) Network() string { return a.network }
func (a named) String() string  { return a.name }

func TestPeerWithoutAnAddress(t *testing.T) {
	const forwarded = "203.0.113.9:0"
	socket, nameless := &net.UnixAddr{Name: "10.0.0.1:5000", Net: "unix"}, &net.UnixAddr{Net: "unix"}
	ten := []string{"10.0.0.0/8"}
	for _, c := range []struct {
		name  string
		trust []string
		peer  net.Addr
		want  string // "" for none
	}{
		{"nobody is trusted", nil, nameless, ""},
		{"all of IPv4", []string{"0.0.0.0/0"}, nameless, ""},
		{"all of IPv6", []string{"::/0"}, nameless, ""},
		{"everybody", []string{"0.0.0.0/0", "::/0"}, nameless, forwarded},
		{"everybody, a pipe", []string{"::/0", "0.0.0.0/0"}, named{"pipe", "pipe"}, forwarded},
		{"unix", []string{"unix"}, nameless, forwarded},
		{"unix among others", []string{"10.0.0.0/8", "unix"}, nameless, forwarded},
		{"unix, a named socket", []string{"unix"}, socket, forwarded},
		{"unix, a type of its own", []string{"unix"}, named{"unix", "@"}, forwarded},
		{"unix, a pipe", []string{"unix"}, named{"pipe", "pipe"}, ""},
		{"unix, but by TCP", []string{"unix"}, peerAt("10.0.0.1:5000"), "10.0.0.1:5000"},
		{"a socket that is named like an address of ours", ten, socket, ""},
		{"TCP by another type", ten, named{"tcp", "10.0.0.1:5000"}, forwarded},
		{"a stranger by another type", ten, named{"tcp", "[::ffff:203.0.113.1]:5000"}, "203.0.113.1:5000"},
	} {
		var want netip.AddrPort
		if c.want != "" {
			want = netip.MustParseAddrPort(c.want)
		}
		ctx := from(c.peer, "X-Forwarded-For: 203.0.113.9", "X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https")
		p := trusting(t, c.trust...)
		if got := p.remoteAddr(ctx); got != want {
			t.Errorf("%s: the client is %v, want %v", c.name, got, want)
		}
		trusted := c.want == forwarded
		if host := p.host(ctx); (host == "shop.example") != trusted || p.secure(ctx) != trusted {
			t.Errorf("%s: host %q, secure %v", c.name, host, p.secure(ctx))
		}
	}
	if got := trusting(t, "unix").remoteAddr(from(nameless)); got.IsValid() {
		t.Errorf("a proxy that tells nothing: the client is %v", got)
	}
}

// Clients without an address count as one, and the log says so once.
func TestBoundsWithoutAnAddress(t *testing.T) {
	for _, bound := range []bool{false, true} {
		var log bytes.Buffer
		config := Config{Logger: slog.New(slog.NewTextHandler(&log, nil))}
		want, warnings := []int{200, 200, 200, 200}, 0
		if bound {
			config.MaxSessionsPerIP = 2
			want, warnings = []int{200, 200, 429, 429}, 1
		}
		srv := New(config)
		defer shut(srv)
		for i, status := range want {
			ctx := from(&net.UnixAddr{Net: "unix"})
			srv.ServeFastHTTP(ctx)
			if got := ctx.Response.StatusCode(); got != status {
				t.Errorf("bounded %v: handshake %d is answered %d, want %d", bound, i, got, status)
			}
		}
		if n := strings.Count(log.String(), `list \"unix\" in Config.TrustedProxies`); n != warnings {
			t.Errorf("bounded %v: %d warnings: %s", bound, n, log.String())
		}
		shut(srv)
		if n := srv.admission.addresses[netip.Addr{}].sessions; n != 0 {
			t.Errorf("bounded %v: %d sessions are counted after the end", bound, n)
		}
	}
}

func TestProxiesThatAreNone(t *testing.T) {
	for _, entry := range []string{"", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1:80", "*", "10.0.0.0/", "Unix", "unix/", "unix:/run/x"} {
		if p, err := newProxies([]string{"10.0.0.1", entry}); err == nil {
			t.Errorf("%q is taken for %v", entry, p)
		}
	}
}

// Where the address, the host and the protocol go.
func TestTrustedProxiesOption(t *testing.T) {
	header := []string{
		"X-Forwarded-For: 203.0.113.9", "X-Forwarded-Host: shop.example", "X-Forwarded-Proto: https", "Origin: https://shop.example",
	}
	for _, trusted := range []bool{false, true} {
		var refused netip.AddrPort
		config := Config{
			Cookie:           &Cookie{},
			OnRequestRefused: func(_ *fasthttp.RequestCtx, remote netip.AddrPort, _ *RequestError) { refused = remote },
		}
		want := netip.MustParseAddrPort("0.0.0.0:0") // the peer of incoming
		if trusted {
			config.TrustedProxies = []string{"0.0.0.0"}
			want = netip.MustParseAddrPort("203.0.113.9:0")
		}
		srv := newTestServer(config)
		ctx := visit(t, srv, "GET", handshake4, header...)
		if !trusted {
			if ctx.Response.StatusCode() != 403 || refused != want {
				t.Errorf("nobody is trusted: answered %d, refused %v", ctx.Response.StatusCode(), refused)
			}
			continue
		}
		if s := onlySession(t, srv); s.RemoteAddr() != want || !sent(ctx).Secure() {
			t.Errorf("the client is %v, the cookie %v", s.RemoteAddr(), sent(ctx))
		}
		visit(t, srv, "GET", "EIO=4&transport=pigeon", header...)
		if refused != want {
			t.Errorf("refused %v, want %v", refused, want)
		}
	}
}

// A proxy may add a line of its own: the last line is the nearest, and the first may be the client's.
func TestForwardedForInLines(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"1.2.3.4", "203.0.113.9"}, "203.0.113.9:0"},
		{[]string{"1.2.3.4", "203.0.113.9", "10.0.0.2"}, "203.0.113.9:0"},
		{[]string{"1.2.3.4, 203.0.113.9", "10.0.0.2, 10.0.0.3"}, "203.0.113.9:0"},
		{[]string{"203.0.113.9", "unknown"}, "10.0.0.1:5000"},
		{[]string{"203.0.113.9", ""}, "203.0.113.9:0"},
	} {
		var header []string
		for _, line := range c.lines {
			header = append(header, "X-Forwarded-For: "+line)
		}
		ctx := from(peerAt("10.0.0.1:5000"), header...)
		if got := trusting(t, "10.0.0.0/8").remoteAddr(ctx); got != netip.MustParseAddrPort(c.want) {
			t.Errorf("%q: the client is %v, want %v", c.lines, got, c.want)
		}
	}
}

func TestForwardedForKinds(t *testing.T) {
	const peer = "10.0.0.1:5000"
	for _, c := range []struct {
		name  string
		trust string
		peer  string
		xff   string
		want  string
	}{
		{"a port", "10.0.0.0/8", peer, "203.0.113.9:4711", "203.0.113.9:0"},
		{"a port on ours", "10.0.0.0/8", peer, "203.0.113.9, 10.0.0.2:80", "203.0.113.9:0"},
		{"IPv6 with a port", "10.0.0.0/8", peer, "[2001:db8::9]:4711", "[2001:db8::9]:0"},
		{"IPv4-mapped with a port", "10.0.0.0/8", peer, "[::ffff:203.0.113.9]:4711", "203.0.113.9:0"},
		{"IPv6 in brackets", "10.0.0.0/8", peer, "[2001:db8::9]", "[2001:db8::9]:0"},
		{"IPv6 in brackets behind ours", "10.0.0.0/8", peer, "[2001:db8::9], [::ffff:10.0.0.2]", "[2001:db8::9]:0"},
		{"IPv6 in brackets with a zone", "10.0.0.0/8", peer, "[fe80::9%eth0]", "[fe80::9]:0"},
		{"IPv6 in brackets with a zone and a port", "10.0.0.0/8", peer, "[fe80::9%25eth0]:80", "[fe80::9]:0"},
		{"IPv4-mapped in brackets", "10.0.0.0/8", peer, "[::ffff:203.0.113.9]", "203.0.113.9:0"},
		{"IPv6 in quotes", "10.0.0.0/8", peer, `"[2001:db8::9]:4711"`, "[2001:db8::9]:0"},
		{"IPv4 in quotes", "10.0.0.0/8", peer, `"203.0.113.9", "10.0.0.2"`, "203.0.113.9:0"},
		{"IPv6 in capitals and long", "10.0.0.0/8", peer, "[2001:0DB8:0:0:0:0:0:9]", "[2001:db8::9]:0"},
		{"IPv4 in brackets", "10.0.0.0/8", peer, "[203.0.113.9]", peer},
		{"brackets without an address", "10.0.0.0/8", peer, "[]", peer},
		{"half a bracket", "10.0.0.0/8", peer, "[2001:db8::9", peer},
		{"the other half", "10.0.0.0/8", peer, "2001:db8::9]", peer},
		{"half a quote", "10.0.0.0/8", peer, `"203.0.113.9`, peer},
		{"a quote alone", "10.0.0.0/8", peer, `"`, peer},
		{"who is not known", "10.0.0.0/8", peer, "203.0.113.9, unknown", peer},
		{"who is not told", "10.0.0.0/8", peer, "203.0.113.9, _hidden", peer},
		{"who is not told, behind ours", "10.0.0.0/8", peer, "203.0.113.9, _hidden:80, 10.0.0.2", "10.0.0.2:0"},
		{"a network", "10.0.0.0/8", peer, "203.0.113.9/32", peer},
		{"leading zeros", "10.0.0.0/8", peer, "203.0.113.009", peer},
		{"no port after the colon", "10.0.0.0/8", peer, "203.0.113.9:", peer},
		{"a port that is none", "10.0.0.0/8", peer, "203.0.113.9:99999", peer},
		{"a peer with a zone in a network", "fe80::/10", "[fe80::1%eth0]:5000", "203.0.113.9", "203.0.113.9:0"},
		{"a peer with a zone by its address", "fe80::1", "[fe80::1%eth0]:5000", "203.0.113.9", "203.0.113.9:0"},
		{"an entry with a zone", "fe80::1%eth0", "[fe80::1%eth0]:5000", "203.0.113.9", "203.0.113.9:0"},
		{"an untrusted peer with a zone", "fe80::2", "[fe80::1%eth0]:5000", "203.0.113.9", "[fe80::1]:5000"},
		{"a hop of ours with a zone", "fe80::/10", "[fe80::1]:5000", "203.0.113.9, fe80::2%eth0", "203.0.113.9:0"},
		{"a client with a zone", "10.0.0.0/8", peer, "fe80::9%<b>", "[fe80::9]:0"},
		{"an IPv4-mapped network", "::ffff:10.0.0.0/104", peer, "203.0.113.9", "203.0.113.9:0"},
		{"another one", "::ffff:10.1.0.0/112", peer, "203.0.113.9", peer},
		{"all of IPv4, mapped", "::ffff:0:0/96", peer, "203.0.113.9", "203.0.113.9:0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx := from(peerAt(c.peer), "X-Forwarded-For: "+c.xff)
			if got := trusting(t, c.trust).remoteAddr(ctx); got != netip.MustParseAddrPort(c.want) {
				t.Errorf("the client is %v, want %v", got, c.want)
			}
		})
	}
	if p, err := newProxies([]string{"fe80::1%eth0/64"}); err == nil {
		t.Errorf("a network with a zone is taken for %v", p)
	}
}
