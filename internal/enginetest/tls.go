package enginetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"
)

// ServerTLS is a configuration with a certificate that nobody trusts, the same for all.
func ServerTLS(t testing.TB) *tls.Config {
	t.Helper()
	c, err := certificate()
	if err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{c}}
}

var certificate = sync.OnceValues(func() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(24 * time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, err
})

// ClientTLS is the client's end of TLS on c, shaken hands. It closes c when that fails.
func ClientTLS(c net.Conn) (net.Conn, error) {
	secure := tls.Client(c, &tls.Config{InsecureSkipVerify: true})
	if err := secure.Handshake(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return secure, nil
}

// secured makes a dialer one for TLS. It gives up as Dial does.
func secured(dial func() (net.Conn, error)) func() (net.Conn, error) {
	return func() (net.Conn, error) {
		c, err := dial()
		if err != nil {
			return nil, err
		}
		_ = c.SetDeadline(time.Now().Add(Patience))
		return ClientTLS(c)
	}
}

// Reset closes c with a TCP reset, without a word of TLS.
func Reset(c net.Conn) {
	raw := bare(c)
	if tcp, ok := raw.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = raw.Close()
}

// HalfClose ends the client's side of c with a FIN and goes on reading.
func HalfClose(c net.Conn) {
	if half, ok := bare(c).(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// bare is the connection below TLS and the like.
func bare(c net.Conn) net.Conn {
	for {
		outer, ok := c.(interface{ NetConn() net.Conn })
		if !ok {
			return c
		}
		c = outer.NetConn()
	}
}
