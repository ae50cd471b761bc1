package client_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"testing"

	"github.com/fasteio/engineio/client"
)

// asked is what a server is asked for once: the address that was dialled, the name in TLS, and the Host.
func asked(t *testing.T, url string, o client.Options) (addr, sni, host string) {
	t.Helper()
	certificate, key := certificate(t, nil, nil)
	done := make(chan struct{})
	o.Logger, o.TLSConfig = quiet, &tls.Config{InsecureSkipVerify: true}
	if o.Proxy == nil {
		o.Proxy = direct
	}
	o.DialContext = func(_ context.Context, _, a string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		addr = a
		go func() {
			defer close(done)
			defer theirs.Close()
			c := net.Conn(theirs)
			if url[:5] == "https" {
				secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}}, SessionTicketsDisabled: true, // nobody reads them from a pipe
					GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) { sni = hello.ServerName; return nil, nil }})
				c = secure
			}
			if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
				host = r.Host
			}
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		}()
		return ours, nil
	}
	if _, err := client.Dial(background(t), url, &o); err == nil {
		t.Fatal("let in")
	}
	<-done
	return addr, sni, host
}

// A host is spelled alike for the dialler, TLS and HTTP, on both transports; a zone is for the dialler alone.
func TestHostNames(t *testing.T) {
	for _, test := range []struct{ host, dialled, name, said string }{
		{"münchen.example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"MÜNCHEN.example:8080", "xn--mnchen-3ya.example:8080", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example:8080"},
		{"m%C3%BCnchen。example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example", "xn--mnchen-3ya.example"},
		{"my_host.example:", "my_host.example", "my_host.example", "my_host.example"},
		{"127.0.0.1:81", "127.0.0.1:81", "", "127.0.0.1:81"},
		{"[::1]", "[::1]", "", "[::1]"},
		{"[fe80::1%25eth0]:82", "[fe80::1%eth0]:82", "", "[fe80::1]:82"},
		{"[fe80::1%25eth0]", "[fe80::1%eth0]", "", "[fe80::1]"},
	} {
		for _, transport := range both {
			for scheme, port := range map[string]string{"http": ":80", "https": ":443"} {
				addr, sni, host := asked(t, scheme+"://"+test.host, client.Options{Transports: []client.Transport{transport}})
				want := test.dialled
				if _, _, err := net.SplitHostPort(want); err != nil {
					want += port
				}
				if addr != want || host != test.said || scheme == "https" && sni != test.name {
					t.Errorf("%s://%s by %v: dialled %q, TLS %q, Host %q", scheme, test.host, transport, addr, sni, host)
				}
			}
		}
	}
}

// The Host of the application's own, too.
func TestHostHeader(t *testing.T) {
	for value, want := range map[string]string{
		"münchen.example":      "xn--mnchen-3ya.example",
		"münchen.example:81":   "xn--mnchen-3ya.example:81",
		"virtual.test":         "virtual.test",
		"[fe80::1%eth0]:82":    "[fe80::1]:82",
		"[fe80::1]":            "[fe80::1]",
		"my_host.example:3000": "my_host.example:3000",
	} {
		for _, transport := range both {
			for _, name := range []string{"Host", "host"} {
				_, _, host := asked(t, "http://127.0.0.1", client.Options{Transports: []client.Transport{transport}, Header: http.Header{name: {value}}})
				if host != want {
					t.Errorf("%s: %s by %v is sent as %q", name, value, transport, host)
				}
			}
		}
	}
}

// A proxy has other zones than we have, and no business with ours; its own name is spelled as any other.
func TestHostNamesAndProxies(t *testing.T) {
	addr, _, host := asked(t, "http://[fe80::1%25eth0]:82", client.Options{Transports: polling, Proxy: by("http://[fe80::2%25eth1]:83")})
	if addr != "[fe80::2%eth1]:83" || host != "[fe80::1]:82" {
		t.Errorf("dialled %q and asked for %q", addr, host)
	}
	addr, _, host = asked(t, "http://münchen.example", client.Options{Transports: polling, Proxy: by("http://bücher.example:83")})
	if addr != "xn--bcher-kva.example:83" || host != "xn--mnchen-3ya.example:80" {
		t.Errorf("dialled %q and asked for %q", addr, host)
	}
}

func TestHostsThatAreNone(t *testing.T) {
	for url, o := range map[string]*client.Options{
		"http://-ä.example":  nil,
		"http://%ff.example": nil,
		"http://a#1":         {Header: http.Header{"Host": {"-ä.example"}}},
		"http://a#2":         {Proxy: by("http://-ä.example")},
	} {
		if _, err := client.Dial(background(t), url, o); err == nil {
			t.Errorf("%s is accepted", url)
		}
	}
}
