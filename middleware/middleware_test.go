package middleware

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/valyala/fasthttp"
	"github.com/valyala/fasthttp/fasthttputil"
)

type handler = fasthttp.RequestHandler

// site is a server in memory and a client for it.
type site struct {
	tb     testing.TB
	client *fasthttp.Client
}

func newSite(tb testing.TB, h handler) *site {
	tb.Helper()
	ln := fasthttputil.NewInmemoryListener()
	srv := &fasthttp.Server{Handler: h, Logger: quiet{}}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	client := &fasthttp.Client{
		Dial:                     func(string) (net.Conn, error) { return ln.Dial() },
		NoDefaultUserAgentHeader: true,
		DisablePathNormalizing:   true,
		ReadTimeout:              10 * time.Second,
	}
	tb.Cleanup(func() {
		client.CloseIdleConnections()
		_ = ln.Close()
		if err := <-served; err != nil {
			tb.Error(err)
		}
	})
	return &site{tb, client}
}

type quiet struct{}

func (quiet) Printf(string, ...any) {}

// do sends a request with headers given as pairs. The response is a copy, the test's to keep.
func (s *site) do(method, path string, header ...string) *fasthttp.Response {
	s.tb.Helper()
	req, resp := fasthttp.AcquireRequest(), &fasthttp.Response{}
	defer fasthttp.ReleaseRequest(req)
	req.Header.SetMethod(method)
	req.SetRequestURI("http://site.test" + path)
	req.URI().DisablePathNormalizing = true
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if err := s.client.Do(req, resp); err != nil {
		s.tb.Fatalf("%s %s: %v", method, path, err)
	}
	resp.Header.SetNoDefaultContentType(true) // else a missing header reads as text/plain
	return resp
}

func header(resp *fasthttp.Response, name string) string {
	var all []string
	for _, line := range resp.Header.PeekAll(name) {
		all = append(all, string(line))
	}
	return strings.Join(all, ", ")
}

func mustPanic(t *testing.T, want string, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		s, _ := recover().(string)
		if !strings.HasPrefix(s, "middleware: ") || !strings.Contains(s, want) {
			t.Errorf("panic %q, want one with %q", s, want)
		}
	}()
	f()
}

func TestNilHandler(t *testing.T) {
	mustPanic(t, "CORS", func() { CORS(CORSConfig{AllowedOrigins: []string{"*"}})(nil) })
	mustPanic(t, "Compress", func() { Compress(CompressConfig{})(nil) })
	mustPanic(t, "Static", func() { Static(StaticFiles{"/": {Name: "x"}})(nil) })
	mustPanic(t, "Recover", func() { Recover(RecoverConfig{})(nil) })
}
