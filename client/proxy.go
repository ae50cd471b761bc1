package client

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
)

// Why not fasthttpproxy: its dial functions take no context, so an attempt outlives Close until its
// timeout, and they decide between HTTP_PROXY and HTTPS_PROXY by the port.

var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

// proxyRequest is what Options.Proxy is asked with: a request of its own, for what it may change.
func (t *target) proxyRequest(ctx context.Context) *http.Request {
	u := *t.url
	r := &http.Request{Method: http.MethodGet, URL: &u, Host: u.Host, Header: make(http.Header)}
	return r.WithContext(ctx)
}

// proxyAddr is what to dial for a proxy.
func proxyAddr(u *url.URL) (string, error) {
	if proxyPorts[u.Scheme] == "" || u.Hostname() == "" {
		return "", fmt.Errorf("proxy %q: must be a URL of http, https or socks5 with a host", u.Redacted())
	}
	port := u.Port()
	if port == "" {
		port = proxyPorts[u.Scheme]
	}
	name, zone, err := hostName(u.Hostname())
	if err != nil {
		return "", fmt.Errorf("proxy: %w", err)
	}
	if zone != "" {
		name += "%" + zone
	}
	return net.JoinHostPort(name, port), nil
}

// tunnel asks the proxy at the other end of c for a connection to addr. The caller closes c when
// ctx ends.
func tunnel(ctx context.Context, c net.Conn, proxy *url.URL, addr string) (net.Conn, error) {
	var err error
	switch proxy.Scheme {
	case "https":
		name, _, _ := hostName(proxy.Hostname()) // proxyAddr has seen its error
		secure := tls.Client(c, tlsConfig(nil, name))
		if err = secure.HandshakeContext(ctx); err == nil {
			c = secure
			err = httpConnect(c, proxy, addr)
		}
	case "http":
		err = httpConnect(c, proxy, addr)
	case "socks5", "socks5h":
		err = socksConnect(c, proxy, addr)
	default:
		err = fmt.Errorf("unknown scheme %q", proxy.Scheme)
	}
	if err != nil {
		return nil, fmt.Errorf("proxy %s: %w", proxy.Host, err)
	}
	return c, nil
}

// httpConnect speaks HTTP CONNECT (RFC 9110 section 9.3.6).
func httpConnect(c net.Conn, proxy *url.URL, addr string) error {
	request := "CONNECT " + addr + " HTTP/1.1\r\nHost: " + addr + "\r\n"
	if proxy.User != nil {
		password, _ := proxy.User.Password()
		request += "Proxy-Authorization: " + basicAuth(proxy.User.Username(), password) + "\r\n"
	}
	if _, err := io.WriteString(c, request+"\r\n"); err != nil {
		return err
	}
	// Nothing of the server can be behind the answer: it does not speak first.
	r := bufio.NewReaderSize(io.LimitReader(c, maxHeader), 1<<10)
	response, err := http.ReadResponse(r, &http.Request{Method: http.MethodConnect})
	if err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("answered %s", response.Status)
	}
	return nil
}

// maxHeader is the most that the header of a response may take, in bytes.
const maxHeader = 64 << 10

// socksConnect speaks SOCKS5 (RFC 1928) with a name and password if the proxy wants them (RFC 1929). The proxy
// resolves the host.
func socksConnect(c net.Conn, proxy *url.URL, addr string) error {
	host, portText, _ := net.SplitHostPort(addr)
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil || len(host) > 255 {
		return fmt.Errorf("cannot ask for %q", addr)
	}
	if err := socksLogin(c, proxy.User); err != nil {
		return err
	}
	request := []byte{5, 1, 0} // version, CONNECT, reserved
	ip := net.ParseIP(host)
	switch {
	case ip == nil:
		request = append(append(request, 3, byte(len(host))), host...)
	case ip.To4() != nil:
		request = append(append(request, 1), ip.To4()...)
	default:
		request = append(append(request, 4), ip...)
	}
	if _, err := c.Write(append(request, byte(port>>8), byte(port))); err != nil {
		return err
	}
	reply := make([]byte, 5) // version, status, reserved, type of the address, its first byte
	if _, err := io.ReadFull(c, reply); err != nil {
		return err
	}
	if reply[1] != 0 {
		return fmt.Errorf("SOCKS5 status %d", reply[1])
	}
	rest := map[byte]int{1: 3 + 2, 3: int(reply[4]) + 2, 4: 15 + 2}[reply[3]]
	_, err = io.ReadFull(c, make([]byte, rest))
	return err
}

func socksLogin(c net.Conn, user *url.Userinfo) error {
	hello := []byte{5, 1, 0} // version, one method: none
	if user != nil {
		hello = []byte{5, 2, 0, 2} // or name and password
	}
	if _, err := c.Write(hello); err != nil {
		return err
	}
	reply := make([]byte, 2)
	if _, err := io.ReadFull(c, reply); err != nil {
		return err
	}
	switch {
	case reply[0] == 5 && reply[1] == 0:
		return nil
	case reply[0] != 5 || reply[1] != 2 || user == nil:
		return errors.New("no SOCKS5 method in common")
	}
	name := user.Username()
	password, _ := user.Password()
	if len(name) > 255 || len(password) > 255 {
		return errors.New("user or password too long")
	}
	login := append(append([]byte{1, byte(len(name))}, name...), byte(len(password)))
	if _, err := c.Write(append(login, password...)); err != nil {
		return err
	}
	if _, err := io.ReadFull(c, reply); err != nil {
		return err
	}
	if reply[1] != 0 {
		return errors.New("user or password refused")
	}
	return nil
}
