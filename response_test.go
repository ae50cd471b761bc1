package engineio

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"

	"github.com/fasteio/engineio/codec"
	"github.com/fasteio/engineio/internal/compress"
)

// poll is a GET of s.
func poll(s *Session, query string, header ...string) *fasthttp.RequestCtx {
	ctx := incoming("GET", query, header...)
	s.poll.serve(ctx, parse(ctx).jsonp)
	return ctx
}

// plainBody is an answer's body as it was before compression, and the coding.
func plainBody(t testing.TB, ctx *fasthttp.RequestCtx) (body, coding string) {
	t.Helper()
	coding = string(ctx.Response.Header.Peek("Content-Encoding"))
	e, ok := compress.Parse([]byte(coding))
	plain, err := compress.AppendDecompressed(nil, ctx.Response.Body(), e, 1<<20)
	if !ok || err != nil {
		t.Fatalf("Content-Encoding %q: %v", coding, err)
	}
	return string(plain), coding
}

func TestResponseIsCompressed(t *testing.T) {
	const threshold = 500
	all := "Accept-Encoding: gzip, deflate, br, zstd"
	for _, c := range []struct {
		name   string
		config Config
		size   int // of the payload
		opts   SendOption
		header string
		coding string
		vary   bool
	}{
		{"below the threshold", Config{}, threshold - 1, 0, all, "", false},
		{"at the threshold", Config{}, threshold, 0, all, "zstd", true},
		{"far above", Config{}, 100_000, 0, all, "zstd", true},
		{"gzip", Config{}, threshold, 0, "Accept-Encoding: gzip", "gzip", true},
		{"deflate", Config{}, threshold, 0, "Accept-Encoding: deflate", "deflate", true},
		{"br", Config{}, threshold, 0, "Accept-Encoding: br", "br", true},
		{"by weight", Config{}, threshold, 0, "Accept-Encoding: gzip;q=0.5, zstd;q=0.1, br", "br", true},
		{"refused", Config{}, threshold, 0, "Accept-Encoding: gzip;q=0", "", true},
		{"identity", Config{}, threshold, 0, "Accept-Encoding: identity", "", true},
		{"unknown", Config{}, threshold, 0, "Accept-Encoding: lzma", "", true},
		{"no header", Config{}, threshold, 0, "Accept: */*", "", true},
		{"NoCompress", Config{}, threshold, NoCompress, all, "", true},
		{"NoCompress, far above", Config{}, 100_000, NoCompress, all, "", true},
		{"disabled", Config{DisableCompression: true}, 100_000, 0, all, "", false},
	} {
		for _, prepared := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, " prepared ", prepared), func(t *testing.T) {
				c.config.CompressionThreshold = threshold
				s := openPolling(t, newTestServer(c.config), V4)
				m := Message{Data: []byte(strings.Repeat("x", c.size-1))}
				if prepared {
					_ = s.SendPrepared(Prepare(m, c.opts))
				} else {
					_ = s.Send(m, c.opts)
				}
				ctx := poll(s, handshake4, c.header)
				body, coding := plainBody(t, ctx)
				if body != "4"+string(m.Data) || coding != c.coding {
					t.Errorf("coding %q, want %q; or another body", coding, c.coding)
				}
				if vary := string(ctx.Response.Header.Peek("Vary")); (vary == "Accept-Encoding") != c.vary || !c.vary && vary != "" {
					t.Errorf("Vary: %q", vary)
				}
				s.CloseNow()
			})
		}
	}
}

// One message that is not to be compressed keeps its neighbours from it, in this response only.
func TestNoCompressInAPayload(t *testing.T) {
	const gzip = "Accept-Encoding: gzip"
	long := Message{Data: bytes.Repeat([]byte("x"), 2000)}
	for place := range 3 {
		s := openPolling(t, newTestServer(Config{}), V4)
		for i := range 3 {
			_ = s.Send(long, map[bool]SendOption{true: NoCompress}[i == place])
		}
		ctx := poll(s, handshake4, gzip)
		if body, coding := plainBody(t, ctx); coding != "" || strings.Count(body, "4x") != 3 {
			t.Errorf("at %d of 3: coding %q", place, coding)
		}
		_ = s.Send(long, 0)
		if _, coding := plainBody(t, poll(s, handshake4, gzip)); coding != "gzip" {
			t.Errorf("the next response has coding %q", coding)
		}
		s.CloseNow()
	}
}

func TestVaryOfAMiddlewareStays(t *testing.T) {
	s := openPolling(t, newTestServer(Config{CompressionThreshold: 1}), V4)
	_ = s.SendText("x")
	ctx := incoming("GET", handshake4)
	ctx.Response.Header.Set("Vary", "Origin")
	s.poll.serve(ctx, nil)
	if vary := string(ctx.Response.Header.Peek("Vary")); vary != "Origin, Accept-Encoding" {
		t.Errorf("Vary: %q", vary)
	}
	s.CloseNow()
}

func TestResponseToJSONP(t *testing.T) {
	long := strings.Repeat("\u20ac", 1000)
	for _, c := range []struct {
		rev    Revision
		query  string
		m      Message
		header string
		want   string
		coding string
	}{
		{V4, "&j=7", Message{Data: []byte(`a"b`)}, "", `___eio[7]("4a\"b");`, ""},
		{V3, "&j=7", Message{Data: []byte("a")}, "", `___eio[7]("2:4a");`, ""},
		{V3, "&j=0", Message{Data: []byte{1, 2}, Binary: true}, "", `___eio[0]("6:b4AQI=");`, ""},
		{V4, "&j=0", Message{Data: []byte{1, 2}, Binary: true}, "", `___eio[0]("bAQI=");`, ""},
		{V4, "&j=", Message{Data: []byte("a")}, "", `___eio[]("4a");`, ""},
		{V4, "&j=1);alert(2", Message{Data: []byte("a")}, "", `___eio[12]("4a");`, ""},
		{V4, "&j=3", Message{Data: []byte(long)}, "Accept-Encoding: gzip", `___eio[3]("4` + long + `");`, "gzip"},
		{V4, "&j=3", Message{Data: []byte(long)}, "Accept-Encoding: identity", `___eio[3]("4` + long + `");`, ""},
		{V4, "", Message{Data: []byte("a")}, "", "4a", ""},
	} {
		s := openPolling(t, newTestServer(Config{}), c.rev)
		_ = s.Send(c.m, 0)
		ctx := poll(s, handshake4+c.query, "X: ", c.header)
		if body, coding := plainBody(t, ctx); body != c.want || coding != c.coding {
			t.Errorf("%s: %.80q, coding %q; want %.80q, coding %q", c.query, body, coding, c.want, c.coding)
		}
		s.CloseNow()
	}
}

// The threshold is of what travels: the script, not the payload in it.
func TestJSONPBeforeTheThreshold(t *testing.T) {
	s := openPolling(t, newTestServer(Config{CompressionThreshold: len(`___eio[3]("4a");`)}), V4)
	for _, text := range []string{"", "a"} {
		_ = s.SendText(text)
		_, coding := plainBody(t, poll(s, handshake4+"&j=3", "Accept-Encoding: gzip"))
		if (coding == "gzip") != (text == "a") {
			t.Errorf("with %q coding %q", text, coding)
		}
	}
	s.CloseNow()
}

func TestNoopIsAResponse(t *testing.T) {
	s := openPolling(t, newTestServer(Config{CompressionThreshold: 1}), V4)
	s.probed.Store(true) // a GET that comes now is answered with a noop
	ctx := poll(s, handshake4+"&j=5", "Accept-Encoding: gzip")
	if body, coding := plainBody(t, ctx); body != `___eio[5]("6");` || coding != "gzip" {
		t.Errorf("%q, coding %q", body, coding)
	}
	s.CloseNow()
}

func TestContentType(t *testing.T) {
	for _, c := range []struct {
		rev   Revision
		query string
		m     Message
		want  string
	}{
		{V4, "", Message{Data: []byte("a")}, contentText},
		{V4, "", Message{Data: []byte("a"), Binary: true}, contentText},
		{V3, "", Message{Data: []byte("a")}, contentText},
		{V3, "", Message{Data: []byte("a"), Binary: true}, contentBinary},
	} {
		s := openPolling(t, newTestServer(Config{}), c.rev)
		_ = s.Send(c.m, 0)
		h := &poll(s, handshake4+c.query).Response.Header
		if got := string(h.ContentType()); got != c.want || string(h.Peek("Cache-Control")) != "no-store" {
			t.Errorf("revision %d, binary %v: %s", c.rev, c.m.Binary, got)
		}
		s.CloseNow()
	}
}

func TestOnHeadersSeesEveryResponse(t *testing.T) {
	var log []string
	srv := newTestServer(Config{OnHeaders: func(_ *Session, ctx *fasthttp.RequestCtx, initial bool) {
		log = append(log, fmt.Sprint(string(ctx.Method()), " ", ctx.Response.StatusCode(), " ", initial))
		ctx.Response.Header.Set("X-Node", "one")
	}})
	ctx := visit(t, srv, "GET", handshake4)
	s := onlySession(t, srv)
	_ = s.SendText("x")
	poll(s, handshake4)
	post(s, "4x")
	visit(t, srv, "GET", webSocket4+"&sid="+s.ID(), upgradeHeader...)
	visit(t, srv, "GET", "EIO=4&transport=pigeon")
	if got, want := strings.Join(log, ", "), "GET 200 true, GET 200 false, POST 200 false, GET 101 false"; got != want {
		t.Errorf("saw %s, want %s", got, want)
	}
	if string(ctx.Response.Header.Peek("X-Node")) != "one" {
		t.Error("the header is not in the response")
	}
	s.CloseNow()
}

// Large bodies are not copied: fasthttp reads them after the handler has returned, and nobody may
// use their buffers meanwhile.
func TestBodiesOutliveTheHandler(t *testing.T) {
	srv := newTestServer(Config{})
	var answers []*fasthttp.RequestCtx
	var want []string
	for i := range 100 {
		for _, coding := range []string{"identity", "gzip"} {
			s := openPolling(t, srv, V4)
			data := make([]byte, keepBody*3/4+i*keepBody/50) // noise in base64, which gzip makes smaller again
			for j := range data {
				data[j] = byte(rand.Uint32())
			}
			_ = s.SendBinary(data)
			answers = append(answers, poll(s, handshake4, "Accept-Encoding: "+coding))
			want = append(want, string(codec.V4.AppendText(nil, blob(data))))
			s.CloseNow()
		}
	}
	for i, ctx := range answers {
		if body, coding := plainBody(t, ctx); body != want[i] {
			t.Errorf("answer %d, coding %q: another body of %d bytes, want %d", i, coding, len(body), len(want[i]))
		}
	}
}

// The same by HTTP, with many at a time.
func TestLargeBodiesOfMany(t *testing.T) {
	const clients, rounds = 8, 60
	srv := newTestServer(Config{MaxQueuedBytes: 1 << 30})
	ln := fasthttputil.NewInmemoryListener()
	server := &fasthttp.Server{Handler: srv.Handler(nil), NoDefaultDate: true}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	var all sync.WaitGroup
	for client := range clients {
		all.Go(func() {
			s := newTestSession(t, srv, V4, Polling)
			s.connect(s.poll)
			get(s)
			caller := &fasthttp.HostClient{
				Addr: "example.com", ReadBufferSize: 1 << 10,
				Dial: func(string) (net.Conn, error) { return ln.Dial() },
			}
			defer caller.CloseIdleConnections()
			for round := range rounds {
				fetchLarge(t, s, caller, fmt.Sprint(client, " ", round, " "))
			}
			s.CloseNow()
		})
	}
	all.Wait()
	shut(srv)
	if err := server.Shutdown(); err != nil {
		t.Error(err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}
}

// fetchLarge sends a few messages made of stamp and fetches them by HTTP.
func fetchLarge(t *testing.T, s *Session, caller *fasthttp.HostClient, stamp string) {
	var want []string
	for range 1 + rand.N(3) {
		m := Message{Data: []byte(strings.Repeat(stamp, rand.N(20_000)/len(stamp)))}
		want = append(want, "4"+string(m.Data))
		_ = s.Send(m, 0)
	}
	req, resp := fasthttp.AcquireRequest(), fasthttp.AcquireResponse()
	defer fasthttp.ReleaseRequest(req)
	defer fasthttp.ReleaseResponse(resp)
	req.SetRequestURI("http://example.com/engine.io/?" + handshake4 + "&sid=" + s.ID())
	if rand.N(2) == 0 {
		req.Header.Set("Accept-Encoding", "gzip;q=0.5, zstd;q=0.4")
	}
	if err := caller.DoTimeout(req, resp, time.Minute); err != nil {
		t.Errorf("%s: %v", stamp, err)
		return
	}
	e, _ := compress.Parse(resp.Header.Peek("Content-Encoding"))
	body, err := compress.AppendDecompressed(nil, resp.Body(), e, 1<<20)
	if err != nil || string(body) != strings.Join(want, "\x1e") {
		t.Errorf("%s: coding %v, %d bytes of %d: %v, or another body", stamp, e, len(body), len(strings.Join(want, " ")), err)
	}
}
