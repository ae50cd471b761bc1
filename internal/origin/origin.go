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

// null is the origin of pages that have none of their own: files in some browsers, and sandboxed frames.
const null = "null"

// wildcard is a pattern for many hosts or many ports.
type wildcard struct {
	parts           // host begins with the dot when it is the end of many
	subdomains bool // any host that ends in host
	ports      bool // any port, and none
}

// Compile returns the Matcher of the given patterns:
//
//   - every origin, "null" included
//     https://example.com        this origin
//     http://localhost:3000      this origin with this port
//     http://localhost:*         this host with any port
//     https://*.example.com      every subdomain, however deep, but not example.com itself
//     capacitor://localhost      this origin of an application's own scheme
//     file://, app://.           the same, without a host, or with one that is a dot
//     null                       pages without an origin; any page can make one, by a sandboxed frame
//
// Case does not matter and a default port (80 for http, 443 for https) may be written or not; ws and wss are
// http and https. A path and a trailing slash are errors.
func Compile(patterns []string) (*Matcher, error) {
	m := &Matcher{exact: make(map[string]struct{}, len(patterns))}
	for _, p := range patterns {
		switch p {
		case "*":
			m.any = true
			continue
		case null:
			m.exact[null] = struct{}{}
			continue
		}
		if err := m.add(p); err != nil {
			return nil, err
		}
	}
	return m, nil
}

func (m *Matcher) add(pattern string) error {
	rest, ports := strings.CutSuffix(pattern, ":*")
	one := strings.Replace(rest, "://*.", "://", 1) // an origin that stands for all
	subdomains := one != rest
	if ports {
		one += ":1"
	}
	o, ok := parse(one)
	switch {
	case !ok, subdomains && (o.host == "" || o.host == "."):
		return fmt.Errorf("origin pattern %q is not scheme://host[:port], scheme://*.host[:port] (port may be *), null or *", pattern)
	case subdomains && o.host[0] == '[':
		return fmt.Errorf("origin pattern %q: an address has no subdomains", pattern)
	case !subdomains && !ports:
		m.exact[o.String()] = struct{}{}
		return nil
	}
	if subdomains {
		o.host = "." + o.host
	}
	m.wildcard = append(m.wildcard, wildcard{o, subdomains, ports})
	return nil
}

// Any reports whether the pattern "*" was among those compiled.
func (m *Matcher) Any() bool { return m != nil && m.any }

// Allowed reports whether a pattern matches origin, the value of an Origin header. The empty string
// is no origin and never allowed: a request without the header is the caller's decision.
func (m *Matcher) Allowed(origin string) bool {
	return m.Any() && origin != "" || m.Lists(origin)
}

// Lists reports whether a pattern other than "*" matches origin.
func (m *Matcher) Lists(origin string) bool {
	if m == nil || origin == "" {
		return false
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
		if w.matches(o) {
			return true
		}
	}
	return false
}

// ListsNull reports whether "null" was among the patterns compiled.
func (m *Matcher) ListsNull() bool { return m.Lists(null) }

func (w wildcard) matches(o parts) bool {
	if w.scheme != o.scheme || !w.ports && w.port != o.port {
		return false
	}
	if w.subdomains {
		return len(o.host) > len(w.host) && strings.HasSuffix(o.host, w.host)
	}
	return w.host == o.host
}

// SameHost reports whether origin, the value of an Origin header, names the host and port of host, the
// value of a Host header. Case does not matter and default ports may be written or not; for host the
// default is that of origin's scheme, since behind a proxy the server cannot know its own. An origin of
// ws or wss, which clients that are no browsers make of the address they connect to, is as one of http or
// https. Origins of other schemes, "null" and everything malformed on either side are not the same host.
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
	switch scheme {
	case "ws":
		scheme = "http"
	case "wss":
		scheme = "https"
	}
	if defaultPort(scheme) == "" && (authority == "" || authority == ".") { // an application's own scheme
		return parts{scheme: scheme, host: authority}, true
	}
	host, port := authority, ""
	if i := strings.LastIndexByte(authority, ':'); i > strings.LastIndexByte(authority, ']') {
		if host, port = authority[:i], authority[i+1:]; !validPort(port) {
			return parts{}, false
		}
	}
	if host, ok = cleanHost(host); !ok {
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

// cleanHost accepts names as browsers send them (ASCII, punycode for the rest) and addresses, and returns the
// one spelling of an address of version 6.
func cleanHost(s string) (string, bool) {
	if len(s) > 2 && s[0] == '[' && s[len(s)-1] == ']' {
		addr, err := netip.ParseAddr(s[1 : len(s)-1])
		if err != nil || !addr.Is6() || addr.Zone() != "" {
			return "", false
		}
		return "[" + addr.String() + "]", true
	}
	return s, s != "" && s[0] != '.' && only(s, "-._")
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
