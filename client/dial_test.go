package client_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fasteio/engineio/client"
)

// counted is a connection of the application's own around another, which it offers as some do.
type counted struct {
	net.Conn
	closed func()
}

func (c *counted) NetConn() net.Conn { return c.Conn }
func (c *counted) Close() error      { c.closed(); return c.Conn.Close() }

// What DialContext has returned is closed, not what it wraps.
func TestDialContextConnectionsAreClosed(t *testing.T) {
	base, _, _ := serve(t, echo)
	inEachMode(t, func(t *testing.T, m mode) {
		var open atomic.Int32
		o := m.options()
		o.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			open.Add(1)
			return &counted{c, sync.OnceFunc(func() { open.Add(-1) })}, nil
		}
		c := dial(t, base, o)
		upgraded(t, c, m.final)
		c.CloseNow()
		if n := open.Load(); n != 0 {
			t.Errorf("%d connections are still open for their maker", n)
		}
	})
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
