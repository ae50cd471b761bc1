package engineio

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/valyala/fasthttp"
)

// fuzzLimit is MaxPayload under FuzzRequest.
const fuzzLimit = 500

// FuzzRequest gives a server the bytes of a connection: requests, pipelined, and frames behind an upgrade.
// Every session has the id "a", so that inputs can name it. Whatever comes back are whole answers with headers
// of ours; what reaches OnMessage is within MaxPayload and UTF-8; the connection is closed once, and no
// session or goroutine stays.
func FuzzRequest(f *testing.F) {
	f.Add([]byte("GET /engine.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		srv := newTestServer(Config{
			PingInterval: 5 * time.Millisecond, PingTimeout: 5 * time.Millisecond, // a poll that parks costs so long
			UpgradeTimeout: 5 * time.Millisecond, CloseTimeout: 5 * time.Millisecond,
			MaxPayload: fuzzLimit, PerMessageDeflate: true, Cookie: &Cookie{}, CompressionThreshold: 10,
			AllowOrigin: func(*fasthttp.RequestCtx, string) bool { return true }, AllowCredentials: true,
			GenerateID: func(*fasthttp.RequestCtx) (string, error) { return "a", nil },
			OnMessage: func(s *Session, m Message) {
				if len(m.Data) > fuzzLimit || !m.Binary && !utf8.Valid(m.Data) {
					t.Errorf("a message of %d bytes, binary %v: %.100q", len(m.Data), m.Binary, m.Data)
				}
				_ = s.Send(m, 0) // a full queue is fine
			},
		})
		c := &said{in: bytes.NewReader(in), closed: make(chan struct{})}
		server := &fasthttp.Server{Handler: srv.Handler(nil), Logger: quiet{}, MaxRequestBodySize: 4 << 10}
		_ = server.ServeConn(c)
		select {
		case <-c.closed:
		case <-time.After(time.Minute):
			t.Fatal("the connection is not closed")
		}
		shut(srv)
		settled(t, srv)
		if srv.places.count() != 0 {
			t.Fatalf("%d sessions are left", srv.places.count())
		}
		if !bytes.Contains(in, []byte("HEAD")) { // whose answers have a length and no body
			checkAnswers(t, c.out.Bytes())
		}
	})
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// A said is a connection whose client has said everything. It never blocks.
type said struct {
	in     *bytes.Reader
	closed chan struct{}

	mu  sync.Mutex
	out bytes.Buffer
}

func (c *said) Read(b []byte) (int, error) { return c.in.Read(b) }

func (c *said) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.out.Write(b)
}

func (c *said) Close() error                     { close(c.closed); return nil }
func (c *said) LocalAddr() net.Addr              { return peerAt("127.0.0.1:80") }
func (c *said) RemoteAddr() net.Addr             { return peerAt("127.0.0.1:5000") }
func (c *said) SetDeadline(time.Time) error      { return nil }
func (c *said) SetReadDeadline(time.Time) error  { return nil }
func (c *said) SetWriteDeadline(time.Time) error { return nil }

// checkAnswers reads all that was said to a client.
func checkAnswers(t *testing.T, out []byte) {
	t.Helper()
	for r := bufio.NewReader(bytes.NewReader(out)); ; {
		if _, err := r.Peek(1); err != nil {
			return
		}
		a, err := http.ReadResponse(r, nil)
		if err != nil {
			t.Fatalf("%q: %v", out, err)
		}
		for name := range a.Header {
			if !slices.Contains(ourHeaders, name) {
				t.Fatalf("the header %q in %q", name, out)
			}
		}
		if a.StatusCode == 101 {
			checkFrames(t, r)
			return
		}
		if _, err := io.Copy(io.Discard, a.Body); err != nil {
			t.Fatalf("%q: %v", out, err)
		}
	}
}

var ourHeaders = []string{
	"Server", "Date", "Content-Type", "Content-Length", "Connection", "Vary", "Cache-Control", "Set-Cookie", "Upgrade", "Allow",
	"Content-Encoding", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Allow-Methods",
	"Access-Control-Allow-Headers", "Access-Control-Max-Age", "Sec-Websocket-Accept", "Sec-Websocket-Protocol",
	"Sec-Websocket-Extensions", "Sec-Websocket-Version", "Retry-After",
}

// checkFrames reads what follows a 101: whole frames, none behind a close frame.
func checkFrames(t *testing.T, r io.Reader) {
	t.Helper()
	for closed := false; ; {
		op, payload, err := readFrame(r)
		if err == io.EOF {
			return
		}
		if err != nil || closed || op != 1 && op != 2 && op != 8 && op != 10 || op >= 8 && len(payload) > 125 {
			t.Fatalf("frame %d %q, %v, behind a close frame: %v", op, payload, err, closed)
		}
		closed = op == 8
	}
}

// FuzzQuery compares the reading of a query with one that was written for reading: of a key that stands twice
// the last value counts, and an escape that is none stands for itself.
func FuzzQuery(f *testing.F) {
	f.Add("EIO=4&transport=polling&sid=abc&j=0&b64=1")
	f.Fuzz(func(t *testing.T, query string) {
		if strings.ContainsFunc(query, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
			return // no request line has it
		}
		var req fasthttp.Request
		req.Header.SetHost("a")
		req.Header.SetRequestURI("/engine.io/?" + query)
		ctx := new(fasthttp.RequestCtx)
		ctx.Init(&req, nil, nil)
		if !ctx.QueryArgs().Has("") && strings.Contains(query, "://") {
			return // fasthttp looks for a host in it
		}
		last := map[string]string{}
		for pair := range strings.SplitSeq(query, "&") {
			key, value, _ := strings.Cut(pair, "=")
			last[unescape(key)] = unescape(value)
		}
		j, jsonp := last["j"]
		got := parse(ctx)
		transport := map[string]Transport{"polling": Polling, "websocket": WebSocket}[last["transport"]]
		revision := map[string]Revision{"3": V3, "4": V4}[last["EIO"]]
		if got.transport != transport || got.revision != revision || string(got.sid) != last["sid"] ||
			(got.jsonp != nil) != jsonp || string(got.jsonp) != j || got.base64 != (last["b64"] != "") {
			t.Fatalf("%q is %+v, want %v, %d, %q", query, got, transport, revision, last)
		}
	})
}

func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] == '%' && i+2 >= len(s): // as fasthttp has it
			return b.String() + s[i:]
		case s[i] == '%':
			if c, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(c)
				i += 2
				continue
			}
			b.WriteByte('%')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// FuzzForwarded checks what is believed of X-Forwarded-*: nothing of a stranger's, and of a proxy's the
// nearest address that is none of ours.
func FuzzForwarded(f *testing.F) {
	f.Add(true, "203.0.113.9, 10.0.0.2", "a.example, b.example", "https")
	f.Add(true, `"[2001:db9::9]:80", ,[2001:db8::1]`, `,"a.example"`, ",wss")
	p, err := newProxies([]string{"10.0.0.0/8", "2001:db8::/32"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, trusted bool, hops, host, proto string) {
		peer := netip.MustParseAddrPort("203.0.113.1:5000")
		if trusted {
			peer = netip.MustParseAddrPort("10.0.0.1:5000")
		}
		ctx := from(net.TCPAddrFromAddrPort(peer), "X-Forwarded-For: "+hops, "X-Forwarded-Host: "+host, "X-Forwarded-Proto: "+proto)
		ctx.Request.Header.SetHost("example.com")
		sent := func(name string) string { return string(ctx.Request.Header.Peek(name)) } // without line ends
		want, wantHost, wantSecure := peer, "example.com", false
		if trusted {
			want = nearest(p, peer, elements(sent("X-Forwarded-For")))
			if hosts := elements(sent("X-Forwarded-Host")); len(hosts) > 0 {
				wantHost = bare(hosts[0])
			}
			if protos := elements(sent("X-Forwarded-Proto")); len(protos) > 0 {
				wantSecure = slices.Contains([]string{"https", "wss"}, strings.ToLower(bare(protos[0])))
			}
		}
		if got := p.remoteAddr(ctx); got != want || !got.IsValid() {
			t.Fatalf("the client is %v, want %v", got, want)
		}
		if got := p.host(ctx); got != wantHost {
			t.Fatalf("the host is %q, want %q", got, wantHost)
		}
		if got := p.secure(ctx); got != wantSecure {
			t.Fatalf("secure is %v, want %v", got, wantSecure)
		}
	})
}

// elements are those of a list that are not empty.
func elements(list string) []string {
	all := strings.Split(list, ",")
	for i := range all {
		all[i] = strings.Trim(all[i], " \t")
	}
	return slices.DeleteFunc(all, func(s string) bool { return s == "" })
}

// bare is s without quotes around it.
func bare(s string) string {
	if inner, ok := strings.CutPrefix(s, `"`); ok && strings.HasSuffix(inner, `"`) {
		return inner[:len(inner)-1]
	}
	return s
}

// nearest is the address of a client behind trusted hops, found from the peer's end.
func nearest(p proxies, peer netip.AddrPort, hops []string) netip.AddrPort {
	if len(hops) == 0 || !p.trusts(peer.Addr()) {
		return peer
	}
	text := bare(hops[len(hops)-1])
	addr, err := netip.ParseAddr(text)
	if inBrackets, ok := strings.CutPrefix(text, "["); ok && strings.Contains(text, ":") {
		if six, found := strings.CutSuffix(inBrackets, "]"); found {
			addr, err = netip.ParseAddr(six)
		}
	}
	if err != nil {
		withPort, err := netip.ParseAddrPort(text)
		if err != nil {
			return peer
		}
		addr = withPort.Addr()
	}
	return nearest(p, netip.AddrPortFrom(addr.Unmap().WithZone(""), 0), hops[:len(hops)-1])
}

// FuzzCookie checks that a Cookie which passes New makes one header line, that of one cookie with its name and
// its id.
func FuzzCookie(f *testing.F) {
	f.Add("io", "/chat", "example.com", "abc-_.~")
	f.Fuzz(func(t *testing.T, name, path, domain, id string) {
		c := (Cookie{Name: name, Path: path, Domain: domain}).withDefaults()
		if !validID(id) || refused(c.check) {
			return
		}
		var h fasthttp.ResponseHeader
		c.set(&h, id, true)
		lines := strings.Split(strings.TrimSpace(h.String()), "\r\n")
		lines = slices.DeleteFunc(lines, func(s string) bool { return !strings.HasPrefix(s, "Set-Cookie: ") })
		if len(lines) != 1 || !strings.HasPrefix(lines[0], "Set-Cookie: "+c.Name+"="+id+";") || strings.Count(lines[0], "; ") > 5 {
			t.Fatalf("%q", h.String())
		}
	})
}

// refused reports whether f panics.
func refused(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

// FuzzOrigin checks that a request is let through only when its page is the host's own.
func FuzzOrigin(f *testing.F) {
	f.Add("http://example.com", "/engine.io/?EIO=4&transport=polling", "example.com")
	o, err := newOrigins(Config{}, proxies{})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, from, target, host string) {
		text := "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nOrigin: " + from + "\r\n\r\n"
		theirs, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil || theirs.Header.Get("Origin") == "" || len(theirs.Header) > 1 || len(theirs.Header["Origin"]) > 1 || theirs.URL.Host != "" {
			return // net/http understands it otherwise
		}
		ctx := new(fasthttp.RequestCtx)
		if ctx.Request.Header.Read(bufio.NewReaderSize(strings.NewReader(text), 64<<10)) != nil {
			return
		}
		if !o.allows(ctx) {
			return
		}
		page, err := url.Parse(theirs.Header.Get("Origin"))
		if err != nil || page.Scheme != "http" && page.Scheme != "https" {
			t.Fatalf("%q is let through, %v", theirs.Header.Get("Origin"), err)
		}
		own := url.URL{Scheme: page.Scheme, Host: theirs.Host}
		if !strings.EqualFold(page.Hostname(), own.Hostname()) || page.User != nil || port(page) != port(&own) {
			t.Fatalf("%q is let through to %q at %q", page, theirs.Host, target)
		}
	})
}

func port(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
