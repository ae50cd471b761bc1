// Package origin decides whether the value of an Origin header is one that the server trusts.
//
// Browsers send the header, scripts cannot forge it; it is what stands between a signed-in user and
// a foreign page that opens a WebSocket in their name. So whatever is not understood is refused.
package origin

import (
	"fmt"
	"net/netip"
	"strings"
)

// Matcher holds compiled patterns. It is immutable and safe for concurrent use. The zero value and a
// nil *Matcher allow nothing.
type Matcher struct {
	any      bool
	exact    map[string]struct{}
	wildcard []wildcard
}

// wildcard is a pattern in two halves: what the origin starts with and what it ends with.
type wildcard struct{ scheme, suffix, port string }

// Compile returns the Matcher of the given patterns:
//
//   - every origin, "null" included
//     https://example.com        this origin
//     http://localhost:3000      this origin with this port
//     https://*.example.com      every subdomain, however deep, but not example.com itself
//
// Case does not matter and a default port (80 for http, 443 for https) may be written or not. Any
// scheme is accepted, since shells for mobile applications have their own (capacitor://localhost). A
// path, a trailing slash and "null", which every sandboxed frame can send, are errors.
func Compile(patterns []string) (*Matcher, error) {
	m := &Matcher{exact: make(map[string]struct{}, len(patterns))}
	for _, p := range patterns {
		if p == "*" {
			m.any = true
			continue
		}
		o, ok := parse(strings.Replace(p, "://*.", "://", 1))
		if !ok {
			return nil, fmt.Errorf("origin pattern %q is not scheme://host[:port], scheme://*.host[:port] or *", p)
		}
		if strings.Contains(p, "://*.") {
			if o.host[0] == '[' {
				return nil, fmt.Errorf("origin pattern %q: an address has no subdomains", p)
			}
			m.wildcard = append(m.wildcard, wildcard{o.scheme, "." + o.host, o.port})
			continue
		}
		m.exact[o.String()] = struct{}{}
	}
	return m, nil
}

// Any reports whether the pattern "*" was among those compiled.
func (m *Matcher) Any() bool { return m != nil && m.any }

// Allowed reports whether a pattern matches origin, the value of an Origin header. The empty string
// is no origin and never allowed: a request without the header is the caller's decision.
func (m *Matcher) Allowed(origin string) bool {
	if m == nil || origin == "" {
		return false
	}
	if m.any {
		return true
	}
	if _, ok := m.exact[origin]; ok { // as browsers write it
		return true
	}
	o, ok := parse(origin)
	if !ok {
		return false
	}
	if _, ok := m.exact[o.String()]; ok {
		return true
	}
	for _, w := range m.wildcard {
		if w.scheme == o.scheme && w.port == o.port && len(o.host) > len(w.suffix) && strings.HasSuffix(o.host, w.suffix) {
			return true
		}
	}
	return false
}

// SameHost reports whether origin, the value of an Origin header, names the host and port of host, the
// value of a Host header. Case does not matter and default ports may be written or not; for host the
// default is that of origin's scheme, since behind a proxy the server cannot know its own. Origins
// other than http and https, "null" and everything malformed on either side are not the same host.
func SameHost(origin, host string) bool {
	o, ok := parse(origin)
	if !ok || defaultPort(o.scheme) == "" {
		return false
	}
	h, ok := parse(o.scheme + "://" + host)
	return ok && h == o
}

// parts is an origin in lower case and without its default port.
type parts struct{ scheme, host, port string }

func (o parts) String() string {
	if o.port == "" {
		return o.scheme + "://" + o.host
	}
	return o.scheme + "://" + o.host + ":" + o.port
}

func parse(s string) (o parts, ok bool) {
	scheme, authority, ok := strings.Cut(strings.ToLower(s), "://")
	if !ok || !validScheme(scheme) {
		return parts{}, false
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		if host, port = authority[:i], authority[i+1:]; !validPort(port) {
			return parts{}, false
		}
	}
	if !validHost(host) {
		return parts{}, false
	}
	if port == defaultPort(scheme) {
		port = ""
	}
	return parts{scheme, host, port}, true
}

func defaultPort(scheme string) string {
	switch scheme {
	case "http":
		return "80"
	case "https":
		return "443"
	}
	return ""
}

func validScheme(s string) bool {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	return only(s, "+-.")
}

func validPort(s string) bool {
	return s != "" && len(s) <= 5 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

// validHost accepts names as browsers send them (ASCII, punycode for the rest) and addresses. Addresses
// of version 6 are compared as text: browsers have one way to write each.
func validHost(s string) bool {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		addr, err := netip.ParseAddr(s[1 : len(s)-1])
		return err == nil && addr.Is6() && addr.Zone() == ""
	}
	return s != "" && s[0] != '.' && only(s, "-._")
}

// only reports whether s consists of lower-case letters, digits and the bytes of more.
func only(s, more string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}
