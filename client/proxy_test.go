package client_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio/client"
)

// relay is a proxy on loopback. Whatever host is asked for, it connects to loopback.
type relay struct {
	l      *listener
	auth   string // what Proxy-Authorization has to be; user:password for SOCKS5
	socks  bool
	refuse bool
	tasks  sync.WaitGroup
	used   atomic.Int32
}

func (p *relay) run() {
	defer p.tasks.Wait()
	for {
		c, err := p.l.Accept()
		if err != nil {
			return
		}
		p.tasks.Go(func() {
			defer c.Close()
			r := bufio.NewReader(c)
			open := p.connect
			if p.socks {
				open = p.connectSOCKS
			}
			if addr := open(r, c); addr != "" {
				p.used.Add(1)
				p.pipe(c, r, addr)
			}
		})
	}
}

func (p *relay) pipe(c net.Conn, r io.Reader, addr string) {
	_, port, _ := net.SplitHostPort(addr)
	up, err := net.Dial("tcp4", "127.0.0.1:"+port)
	if err != nil {
		return
	}
	defer up.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = io.Copy(up, r)
		_ = up.Close()
	}()
	_, _ = io.Copy(c, up)
	_ = c.Close()
	<-done
}

func (p *relay) connect(r *bufio.Reader, c net.Conn) string {
	request, err := http.ReadRequest(r)
	if err != nil || request.Method != http.MethodConnect {
		return ""
	}
	if p.refuse || request.Header.Get("Proxy-Authorization") != p.auth {
		_, _ = io.WriteString(c, "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
		return ""
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 Connection established\r\n\r\n")
	return request.Host
}

func (p *relay) connectSOCKS(r *bufio.Reader, c net.Conn) string {
	next := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(r, b)
		return b
	}
	next(int(next(2)[1]))
	if p.auth == "" {
		_, _ = c.Write([]byte{5, 0})
	} else {
		_, _ = c.Write([]byte{5, 2})
		user := string(next(int(next(2)[1])))
		password := string(next(int(next(1)[0])))
		if user+":"+password != p.auth {
			_, _ = c.Write([]byte{1, 1})
			return ""
		}
		_, _ = c.Write([]byte{1, 0})
	}
	var host string
	switch next(4)[3] {
	case 1:
		host = net.IP(next(4)).String()
	case 3:
		host = string(next(int(next(1)[0])))
	case 4:
		host = net.IP(next(16)).String()
	}
	port := next(2)
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	return net.JoinHostPort(host, itoa(int(port[0])<<8|int(port[1])))
}

func startRelay(t testing.TB, p *relay) (addr string) {
	p.l = listen(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.run()
	}()
	t.Cleanup(func() {
		p.l.kill()
		<-done
	})
	return p.l.Addr().String()
}

func TestProxies(t *testing.T) {
	url, _, _ := serve(t, echo)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("user:pass"))
	for name, p := range map[string]*relay{
		"http://":                   {},
		"http://user:pass@":         {auth: basic},
		"socks5://":                 {socks: true},
		"socks5://user:pass@":       {socks: true, auth: "user:pass"},
		"http://user:wrong@":        {auth: basic, refuse: true},
		"socks5://user:other@":      {socks: true, auth: "user:pass", refuse: true},
		"socks5h://user:pass@":      {socks: true, auth: "user:pass"},
		"socks5://unwanted:either@": {socks: true},
	} {
		addr := startRelay(t, p)
		t.Run(name, func(t *testing.T) {
			for _, host := range []string{"127.0.0.1", "engine.test", "[::1]"} {
				url := strings.Replace(url, "127.0.0.1", host, 1)
				c, err := client.Dial(background(t), url, &client.Options{Proxy: by(name + addr), Logger: quiet})
				if p.refuse {
					if err == nil || strings.Contains(err.Error(), "wrong") || strings.Contains(err.Error(), "other") {
						t.Fatalf("got %v, want an error without a password", err)
					}
					continue
				}
				must(t, err)
				upgraded(t, c, client.WebSocket)
				must(t, c.SendText(context.Background(), "through"))
				wantText(t, c, "through")
				must(t, c.Close())
				if p.used.Swap(0) < 2 {
					t.Error("polling and WebSocket do not both go through the proxy")
				}
			}
		})
	}
}

// Each connection asks for its proxy, with a request that names the server and may be changed.
func TestProxyIsChosenByRequest(t *testing.T) {
	server, _, _ := serve(t, echo)
	p := &relay{}
	u, err := url.Parse("http://" + startRelay(t, p))
	must(t, err)
	failed := errors.New("no way")
	for _, test := range []struct {
		proxy *url.URL
		err   error
	}{{u, nil}, {nil, nil}, {nil, failed}} {
		var asked atomic.Int32
		c, err := client.Dial(background(t), server, &client.Options{Logger: quiet, Proxy: func(r *http.Request) (*url.URL, error) {
			if asked.Add(1); r.URL.Scheme+"://"+r.Host != server || r.URL.Path != "/engine.io/" || r.URL.RawQuery != "" || r.Method != "GET" {
				t.Errorf("asked with %s %s", r.Method, r.URL)
			}
			r.URL.Host = "changed.example"
			r.Header.Set("X", "y")
			return test.proxy, test.err
		}})
		if test.err != nil {
			if !errors.Is(err, test.err) {
				t.Errorf("got %v, want the error of Proxy", err)
			}
			continue
		}
		must(t, err)
		upgraded(t, c, client.WebSocket)
		must(t, c.Close())
		if used := p.used.Swap(0) > 0; used != (test.proxy != nil) || asked.Load() < 2 {
			t.Errorf("proxy %v: used %v, asked for %d times", test.proxy, used, asked.Load())
		}
	}
}

func TestProxyThatIsNone(t *testing.T) {
	for _, proxy := range []string{"ftp://host", "http://", "host:1080"} {
		if _, err := client.Dial(background(t), "http://127.0.0.1:1/", &client.Options{Proxy: by(proxy)}); err == nil || !strings.Contains(err.Error(), "must be a URL") {
			t.Errorf("%q: got %v", proxy, err)
		}
	}
}

// A proxy that never answers must not hold a Dial beyond its context.
func TestProxyThatHangs(t *testing.T) {
	l := listen(t)
	t.Cleanup(l.kill)
	accepted := make(chan net.Conn, 1)
	go func() {
		c, _ := l.Accept()
		accepted <- c
	}()
	for _, scheme := range []string{"http", "socks5", "https"} {
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		start := time.Now()
		_, err := client.Dial(ctx, "http://engine.test/", &client.Options{Proxy: by(scheme + "://" + l.Addr().String())})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > patience/2 {
			t.Errorf("%s: %v after %v", scheme, err, time.Since(start))
		}
	}
	if c := <-accepted; c != nil {
		_ = c.Close()
	}
}

var environment relay

// startEnvironmentProxy sets HTTP_PROXY, which is read once in a process.
func startEnvironmentProxy() (stop func()) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	environment.l = &listener{Listener: ln}
	for _, name := range []string{"http_proxy", "https_proxy", "no_proxy", "HTTPS_PROXY", "NO_PROXY"} {
		_ = os.Unsetenv(name)
	}
	_ = os.Setenv("HTTP_PROXY", "http://"+ln.Addr().String())
	done := make(chan struct{})
	go func() {
		defer close(done)
		environment.run()
	}()
	return func() {
		environment.l.kill()
		<-done
	}
}

func TestProxyOfTheEnvironment(t *testing.T) {
	url, _, _ := serve(t, echo)
	c := dial(t, strings.Replace(url, "127.0.0.1", "engine.test", 1), nil)
	upgraded(t, c, client.WebSocket)
	if environment.used.Load() < 2 {
		t.Error("the proxy was not used")
	}
	_, err := client.Dial(background(t), "http://engine.test:1/", &client.Options{Proxy: direct,
		DialContext: func(context.Context, string, string) (net.Conn, error) { return nil, io.ErrUnexpectedEOF }})
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("with none: %v", err)
	}
}
