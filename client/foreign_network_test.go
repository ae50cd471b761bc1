//go:build interop

package client_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fasteio/engineio/client"
)

func TestForeignServerBehindProxy(t *testing.T) {
	through := &relay{}
	addr := startRelay(t, through)
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		before := through.used.Load()
		o := m.options()
		o.Proxy = by("http://" + addr)
		c := dial(t, strings.Replace(p.url(), "127.0.0.1", "engine.test", 1), o) // a name that only the proxy knows
		conversation(t, c, m)
		want := map[string]int32{"polling": 2, "websocket": 1, "upgrade": 3}[m.name] // GET, POST, WebSocket
		if used := through.used.Load() - before; used < want {
			t.Errorf("%d connections through the proxy, want %d", used, want)
		}
	})
}

func TestForeignTLSWithPrivateCA(t *testing.T) {
	ca, caKey := certificate(t, nil, nil)
	leaf, leafKey := certificate(t, ca, caKey)
	key, err := x509.MarshalPKCS8PrivateKey(leafKey)
	must(t, err)
	dir := t.TempDir()
	file := func(name, kind string, der []byte) string {
		name = filepath.Join(dir, name)
		must(t, os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
		return name
	}
	roots := x509.NewCertPool()
	roots.AddCert(ca)
	proxy := startRelay(t, &relay{})
	inEachForeignMode(t, func(t *testing.T, k kind, m mode, p *process) {
		o := m.options()
		o.Logger = quiet
		var unknown x509.UnknownAuthorityError
		if _, err := client.Dial(background(t), "https://"+p.addr, o); !errors.As(err, &unknown) {
			t.Errorf("without the root: %v", err)
		}
		o.TLSConfig = &tls.Config{RootCAs: roots}
		conversation(t, dial(t, "https://"+p.addr, o), m)
		o.Proxy = by("http://" + proxy)
		conversation(t, dial(t, "wss://"+p.addr, o), m)
	}, "--cert", file("cert.pem", "CERTIFICATE", leaf.Raw), "--key", file("key.pem", "PRIVATE KEY", key))
}

// conversation says things before and after the upgrade, and closes.
func conversation(t *testing.T, c *client.Client, m mode) {
	t.Helper()
	for i := range 100 {
		if i == 50 {
			upgraded(t, c, m.final)
		}
		must(t, c.SendText(background(t), fmt.Sprint(i)))
		wantText(t, c, fmt.Sprint(i))
	}
	must(t, c.Send(context.Background(), client.Message{Data: make([]byte, 200_000), Binary: true}))
	same(t, 100, read(t, c), client.Message{Data: make([]byte, 200_000), Binary: true})
	must(t, c.Close())
	wantReason(t, c, client.ReasonClientClose)
}
