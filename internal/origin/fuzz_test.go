package origin

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzSameHost checks that whatever is the same host is so for net/url too, has nothing but a host in it, and
// is the same the other way round.
func FuzzSameHost(f *testing.F) {
	f.Add("http://example.com", "example.com:80")
	f.Fuzz(func(t *testing.T, origin, host string) {
		if !SameHost(origin, host) {
			return
		}
		u, err := url.Parse(origin)
		if err != nil || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.Opaque != "" {
			t.Fatalf("%q is the host %q: %v, %v", origin, host, u, err)
		}
		own, err := url.Parse(u.Scheme + "://" + host)
		if err != nil || own.User != nil || own.Path != "" || !strings.EqualFold(u.Hostname(), own.Hostname()) || portOf(u) != portOf(own) {
			t.Fatalf("%q is the host %q: %v, %v", origin, host, own, err)
		}
		if !SameHost(u.Scheme+"://"+host, u.Host) {
			t.Fatalf("%q is the host %q, and not the other way round", origin, host)
		}
	})
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"http": "80", "https": "443"}[strings.ToLower(u.Scheme)]
}
