package client

import (
	"crypto/tls"
	"testing"
)

// A client certificate identifies the application: it is not shown to another origin that a redirect leads to.
func TestCertificatesStayWithTheOrigin(t *testing.T) {
	o, err := (&Options{TLSConfig: &tls.Config{Certificates: make([]tls.Certificate, 1)}}).withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	first, err := newTarget("http://a.test/", &o)
	if err != nil {
		t.Fatal(err)
	}
	for location, want := range map[string]int{"https://a.test/": 1, "https://a.test:8443/": 1, "https://b.test/": 0, "https://sub.a.test/": 0} {
		next, err := first.redirect(location)
		if err != nil {
			t.Fatal(err)
		}
		d := newDialer(next, &o)
		if len(d.tls.Certificates) != want {
			t.Errorf("%s is shown %d certificates", location, len(d.tls.Certificates))
		}
	}
}
